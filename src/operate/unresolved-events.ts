import type { AuditRow, CallFacts } from "../audit/row.ts";
import type { CallUnresolved } from "../core/alert.ts";
import type { Micros } from "../core/money.ts";
import type { EpochMs } from "../core/window.ts";
import type { Store } from "../store/store.ts";

const ROWS_PER_PAGE = 1_000;

/** The event of a call that has become unresolved; `why` is the flag of its row. */
export function callUnresolved(
  facts: CallFacts,
  exposureMicros: Micros,
  why: string | null,
  at: EpochMs,
): CallUnresolved {
  const { id: callId, vaultKeyId, agentRunLabel: runLabel, vendor, method, endpoint } = facts;
  return {
    type: "call.unresolved",
    at,
    callId,
    vaultKeyId,
    runLabel,
    vendor,
    method,
    endpoint,
    exposureMicros,
    why,
  };
}

/** The events of the `count` calls that the sweep of `sweptAt` made unresolved, newest call first. */
export async function sweptCalls(store: Store, sweptAt: EpochMs, count: number): Promise<readonly CallUnresolved[]> {
  const swept: AuditRow[] = [];
  let before: number | undefined;
  do {
    const page = { limit: ROWS_PER_PAGE, ...(before === undefined ? {} : { before }) };
    const { rows, older } = await store.queryAudit({ state: "unresolved" }, page);
    swept.push(...rows.filter(({ flag, finishedAt }) => flag === "owner_gone" && finishedAt === sweptAt).toReversed());
    before = older;
  } while (swept.length < count && before !== undefined);
  return swept.slice(0, count).map((row) => callUnresolved(row, row.exposureMicros, row.flag, sweptAt));
}
