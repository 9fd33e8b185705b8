import { nearestName } from "../core/nearest.ts";
import { Problem } from "../core/problem.ts";
import type { SpendGroup, SpendKey } from "../store/spend.ts";
import { isoTime } from "./key-view.ts";

/** What a report is by, as the store is asked for it, and how its groups are named. */
export interface SpendBy {
  /** As it was written: the name of the rows' field. */
  readonly name: string;
  readonly key: SpendKey;
  /** Groups of the store with the same name are one. */
  readonly nameOf: (group: SpendGroup) => string | null;
  readonly isTime: boolean;
  readonly hasVendor: boolean;
}

export const SPEND_BY = ["run", "agent", "vendor", "endpoint", "day", "hour", "label:N"] as const;

const LABEL_PART = /^label:([1-9][0-9]?)$/;

/** @throws Problem `invalid` naming what can be asked for. */
export function readSpendBy(text: string): SpendBy {
  const part = LABEL_PART.exec(text);
  if (part) {
    const at = Number(part[1]) - 1;
    return { ...PLAIN, name: text, key: "label", nameOf: ({ value }) => labelParts(value)[at] ?? null };
  }
  switch (text) {
    case "run":
    case "agent":
    case "vendor":
      return { ...PLAIN, name: text, key: text };
    case "endpoint":
      return { ...PLAIN, name: text, key: text, hasVendor: true };
    case "day":
      return { ...PLAIN, name: text, key: text, isTime: true, nameOf: (group) => timeOf(group).slice(0, 10) };
    case "hour":
      return { ...PLAIN, name: text, key: text, isTime: true, nameOf: timeOf };
    default:
      throw unknownBy(text);
  }
}

const PLAIN = {
  nameOf: ({ value }: SpendGroup) => value,
  isTime: false,
  hasVendor: false,
} as const;

/** `tenant:acme:billing:run-7` and `ray-billing/01` have parts between `:` and `/`. */
export function labelParts(label: string | null): readonly string[] {
  return label === null ? [] : label.split(/[:/]/);
}

function timeOf({ value }: SpendGroup): string {
  return isoTime(Number(value));
}

function unknownBy(text: string): Problem {
  const shown = JSON.stringify(text.slice(0, 60));
  if (/^label/.test(text)) {
    return new Problem(
      "invalid",
      `by cannot be ${shown}: label takes the number of a part, from 1 to 99`,
      "label:2 is acme in tenant:acme:billing:run-7, and 01 in ray-billing/01",
    );
  }
  const nearest = nearestName(text, SPEND_BY.slice(0, -1));
  const meant = nearest ? `did you mean ${nearest}?` : `it is one of ${SPEND_BY.join(", ")}`;
  return new Problem("invalid", `by cannot be ${shown}; ${meant}`, "label:2 is the second part of the run label");
}
