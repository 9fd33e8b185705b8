import type { HoldDecision, LedgerEntry, LedgerResult } from "../../src/ledger/entry.ts";
import { InvariantBroken } from "./invariant.ts";
import { CAP_NAMES, dayOf, type Expected } from "./ledger-model.ts";

/** The first answer of a batch that is not what the model expects, by the invariant that it breaks. */
export function difference(
  entries: readonly LedgerEntry[],
  expected: readonly Expected[],
  results: readonly LedgerResult[],
): InvariantBroken | undefined {
  if (results.length !== entries.length) {
    return new InvariantBroken(8, `${results.length} answers came for ${entries.length} entries`);
  }
  for (const [index, entry] of entries.entries()) {
    const [wanted, got] = [shown(expected[index]!), shownResult(results[index]!, expected[index]!)];
    if (wanted === got) continue;
    const what = `${entry.type === "hold" ? entry.facts.id : entry.callId}: the model says ${wanted}, the store ${got}`;
    return new InvariantBroken(invariantOf(expected[index]!, results[index]!), what);
  }
  return undefined;
}

function invariantOf(expected: Expected, result: LedgerResult): 1 | 3 | 6 | 8 {
  if (expected.kind === "resolved" || expected.kind === "not_resolved") return 3;
  if (expected.kind !== "refused") return 8;
  if (expected.code === "key_revoked") return 6;
  const isAdmitted = "admitted" in result && result.admitted;
  return isAdmitted && expected.code === "cap_exceeded" ? 1 : 8;
}

function shown(expected: Expected): string {
  switch (expected.kind) {
    case "admitted":
      return `admitted on day ${expected.day}`;
    case "stale":
      return "stale";
    case "refused":
      return `${expected.code} ${expected.cap ? `${expected.cap} ${expected.used}` : ""}`.trim();
    case "resolved":
      return `resolved at ${expected.cost}`;
    case "not_resolved":
      return expected.why;
  }
}

function shownResult(result: LedgerResult, expected: Expected): string {
  if ("resolved" in result) return result.resolved ? `resolved at ${result.costMicros}` : result.why;
  if (result.admitted) return `admitted on day ${chargedDay(result) ?? ("day" in expected ? expected.day : "?")}`;
  if (result.code === "stale") return "stale";
  if (result.code !== "cap_exceeded") return result.code;
  return `${result.code} ${result.rule} ${result.budget?.used}`;
}

/** The day whose window a hold was charged to; a hold that charges none has no day that anybody could tell. */
function chargedDay(decision: Extract<HoldDecision, { readonly admitted: true }>): number | undefined {
  const daily = decision.charges.find(({ budgetId }) => !budgetId.endsWith(`:${CAP_NAMES[1]}`));
  return daily && dayOf(daily.windowStart);
}
