import type { CappedKind } from "../vendors/vendor.ts";
import type { CompiledPolicy } from "./policy.ts";

/** The beginning of a run label. With a `tail` it is a family: what stands between head and tail names the member. */
export interface LabelPrefix {
  /** As written: `tenant:*:`. */
  readonly text: string;
  /** `tenant:`, or all of it where it is no family. */
  readonly head: string;
  /** `:`; its first character ends the member's value. */
  readonly tail: string | undefined;
}

/** Which calls a budget counts; what is undefined is true of every call. */
export interface BudgetMatch {
  readonly vendor: string | undefined;
  readonly labelPrefix: LabelPrefix | undefined;
  readonly kind: CappedKind | undefined;
}

/** A budget above keys, as `budgets.yaml` declares it. */
export interface SharedBudget
  extends Pick<CompiledPolicy, "dailyCapMicros" | "dailyCap" | "totalCapMicros" | "totalCap" | "dailySendCap"> {
  readonly name: string;
  readonly match: BudgetMatch;
}

/** No letter, digit or `*`: what ends a member's value is never part of one that people would write. */
const SEPARATOR = /^[!-)+-/:-@[-`{-~]/;

/**
 * Reads `tenant:*:`; `label_prefix` has one `*` at most, and a separator after it.
 * @throws RangeError that says what is wrong, as the rest of a sentence.
 */
export function parseLabelPrefix(text: string): LabelPrefix {
  const [head, tail, more] = text.split("*") as [string, string | undefined, string | undefined];
  if (more !== undefined) throw new RangeError("has more than one *; a family has one budget per value of one *");
  if (tail !== undefined && !SEPARATOR.test(tail)) {
    throw new RangeError("needs a separator like : after its *, so that it is clear where the value ends");
  }
  return { text, head, tail };
}
