import type { CallState, CostSource } from "../core/hold.ts";
import type { Verdict } from "../core/verdict.ts";
import type { AlertCursor, AlertRow, AlertSlice } from "./alert-queue.ts";
import { decodeCharges } from "./ledger/charges.ts";

/** The two that read the rows, each at its own pace: what people are told of, and what revokes keys. */
export type CursorTable = "alert_cursor" | "revoke_cursor";

/** Where the cursor stands, and where the ledger does. */
export interface CursorRow {
  readonly version: bigint;
  readonly chain_seq: bigint;
  readonly place: bigint;
  readonly pass_to: bigint | null;
  readonly pass_end: bigint | null;
  readonly pass_floor: bigint | null;
  readonly chain_count: bigint;
  readonly last_seq: bigint;
  readonly open_from: bigint | null;
}

/** An audit row as the store reads it for the rules. */
export interface AlertRowRead {
  readonly seq: bigint;
  readonly chain_seq: bigint;
  readonly id: string;
  readonly refers_to: string | null;
  readonly called_at: bigint;
  readonly finished_at: bigint;
  readonly agent_run_label: string | null;
  readonly vault_key_id: string;
  readonly vendor: string;
  readonly method: string;
  readonly endpoint: string;
  readonly policy_verdict: Verdict;
  readonly verdict_rule: string;
  readonly state: CallState;
  readonly exposure_micros: bigint;
  readonly cost_micros: bigint | null;
  readonly cost_source: CostSource;
  readonly http_status: bigint | null;
  readonly flag: string | null;
  readonly charges: string | null;
}

/** The columns of `AlertRowRead`. */
export const ALERT_ROW_COLUMNS =
  "seq, chain_seq, id, refers_to, called_at, finished_at, agent_run_label, vault_key_id, vendor, method, endpoint, " +
  "policy_verdict, verdict_rule, state, exposure_micros, cost_micros, cost_source, http_status, flag, charges";

/** The slice that these rows are: the first `rowsMax` from the cursor's place to the end of its pass. */
export function sliceOf(from: AlertCursor, found: readonly AlertRowRead[], rowsMax: number): AlertSlice {
  const { chainSeq, pass } = from;
  if (!pass) return { from, next: from, rows: [], more: false };
  const fresh = found.filter(({ chain_seq }) => chain_seq > chainSeq && chain_seq <= pass.to);
  const more = found.length === rowsMax;
  const next = more
    ? { ...from, place: Number(found.at(-1)!.seq) + 1 }
    : { version: from.version, chainSeq: pass.to, place: pass.floor, pass: null };
  return { from, next: { ...next, version: from.version + 1 }, rows: fresh.map(alertRow), more };
}

/** What is read next: with a pass, where there are rows that have become final since the last one began. */
export function beginSlice(row: CursorRow): AlertCursor {
  const version = Number(row.version);
  const chainSeq = Number(row.chain_seq);
  const place = Number(row.place);
  if (row.pass_to !== null) {
    const pass = { to: Number(row.pass_to), end: Number(row.pass_end), floor: Number(row.pass_floor) };
    return { version, chainSeq, place, pass };
  }
  if (row.chain_count === row.chain_seq) return { version, chainSeq, place, pass: null };
  const end = Number(row.last_seq);
  // Every call before the oldest that is in flight has its final row.
  const floor = row.open_from === null ? end + 1 : Number(row.open_from);
  return { version, chainSeq, place, pass: { to: Number(row.chain_count), end, floor } };
}

function alertRow(row: AlertRowRead): AlertRow {
  return {
    seq: Number(row.seq),
    id: row.id,
    refersTo: row.refers_to,
    calledAt: Number(row.called_at),
    finishedAt: Number(row.finished_at),
    agentRunLabel: row.agent_run_label,
    vaultKeyId: row.vault_key_id,
    vendor: row.vendor,
    method: row.method,
    endpoint: row.endpoint,
    policyVerdict: row.policy_verdict,
    verdictRule: row.verdict_rule,
    state: row.state,
    exposureMicros: row.exposure_micros,
    costMicros: row.cost_micros,
    costSource: row.cost_source,
    httpStatus: row.http_status === null ? null : Number(row.http_status),
    flag: row.flag,
    charges: decodeCharges(row.vault_key_id, row.exposure_micros, row.charges),
  };
}

/** What moves a cursor on: its new columns, in their order, and the version that it must still have. */
export function cursorValues({ from, next }: AlertSlice): readonly (number | null)[] {
  const { version, chainSeq, place, pass } = next;
  return [version, chainSeq, place, pass?.to ?? null, pass?.end ?? null, pass?.floor ?? null, from.version];
}
