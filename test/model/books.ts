import type { AuditRow } from "../../src/audit/row.ts";
import { must } from "./invariant.ts";
import { CAP_NAMES, dayOf, type LedgerModel, type ModelCall } from "./ledger-model.ts";
import type { LedgerWorld } from "./ledger-world.ts";

const ROWS_MAX = 100_000;

/** The rows of a call: its own, and, where it was unresolved first, a later one that refers to it. */
interface CallRows {
  readonly own: AuditRow | undefined;
  readonly corrections: readonly AuditRow[];
}

/**
 * Compares everything that the store says of itself with the model: after every step, through a handle that no process
 * uses, so that only what is committed counts.
 * @throws InvariantBroken
 */
export async function checkBooks(world: LedgerWorld): Promise<void> {
  const { books, model } = world;
  const { rows } = await books.queryAudit({}, { limit: ROWS_MAX });
  const byCall = rowsByCall(rows);
  for (const callId of byCall.keys()) must(5, model.calls.has(callId), () => `nobody made the call ${callId}`);
  for (const call of model.calls.values()) checkCall(call, byCall.get(call.id));
  checkRevoked(world, byCall);
  const mismatches = await books.checkCounters();
  must(4, mismatches.length === 0, () =>
    mismatches.map(({ budgetId, counter, rows: sum }) => `${budgetId} counts ${counter}, its rows ${sum}`).join("; "),
  );
  for (const keyId of model.keys.keys()) await checkSpend(world, keyId);
  await checkTotals(world);
}

function rowsByCall(rows: readonly AuditRow[]): ReadonlyMap<string, CallRows> {
  const byCall = new Map<string, CallRows>();
  for (const row of rows) {
    const callId = row.refersTo ?? row.id;
    const { own, corrections } = byCall.get(callId) ?? { own: undefined, corrections: [] };
    must(5, row.refersTo !== null || own === undefined, () => `${callId} has two rows of its own`);
    byCall.set(callId, row.refersTo ? { own, corrections: [...corrections, row] } : { own: row, corrections });
  }
  return byCall;
}

/** @throws InvariantBroken where the vendor saw a call that is not on disk as one that was admitted. */
export async function checkForwarded({ books, vendorSaw }: Pick<LedgerWorld, "books" | "vendorSaw">): Promise<void> {
  if (vendorSaw.size === 0) return;
  const { rows } = await books.queryAudit({}, { limit: ROWS_MAX });
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const callId of vendorSaw) {
    const state = byId.get(callId)?.state;
    must(2, state !== undefined, () => `the vendor saw ${callId}, which has no row`);
    must(2, state !== "refused", () => `the vendor saw ${callId}, which was refused`);
  }
}

function checkCall(call: ModelCall, rows: CallRows | undefined): void {
  const { id } = call;
  must(5, rows?.own !== undefined, () => `${id} has no row; the model has it as ${call.state}`);
  const { own, corrections } = rows as { own: AuditRow; corrections: readonly AuditRow[] };
  const wanted = call.wasUnresolved ? 1 : 0;
  must(3, corrections.length === wanted, () => `${id} has ${corrections.length} later rows, the model says ${wanted}`);
  must(
    3,
    wanted === 0 || own.state === "unresolved",
    () => `${id} was unresolved, and its first row says ${own.state}`,
  );
  const last = corrections[0] ?? own;
  must(3, last.state === call.state, () => `${id} is ${last.state}, the model says ${call.state}`);
  must(4, own.exposureMicros === call.exposure, () => `${id} asked for ${call.exposure}, not ${own.exposureMicros}`);
  if (call.state === "settled" || call.state === "released") {
    must(3, last.costMicros === call.cost, () => `${id} did cost ${call.cost}, its row says ${last.costMicros}`);
  }
  const { refusal } = call;
  must(8, refusal === null || own.policyVerdict === refusal, () => `${id} is ${own.policyVerdict}, not ${refusal}`);
}

function checkRevoked({ admittedAtRevoke }: LedgerWorld, byCall: ReadonlyMap<string, CallRows>): void {
  for (const [keyId, wanted] of admittedAtRevoke) {
    const admitted = [...byCall.values()].filter(({ own }) => own?.vaultKeyId === keyId && own.state !== "refused");
    must(
      6,
      admitted.length === wanted,
      () => `${keyId} had ${wanted} holds when it was revoked, and ${admitted.length} now`,
    );
  }
}

async function checkSpend({ books, model }: LedgerWorld, keyId: string): Promise<void> {
  const spend = await books.keySpend(keyId);
  const calls = [...model.calls.values()].filter((call) => call.keyId === keyId);
  for (const { name, windowStart, used } of spend.counters) {
    const cap = CAP_NAMES.find((known) => known === name);
    const wanted = cap && model.used(keyId, cap, dayOf(windowStart));
    must(4, used === wanted, () => `${name} of ${windowStart} counts ${used}, its calls sum up to ${wanted}`);
  }
  for (const day of new Set(calls.map((call) => call.day))) {
    for (const name of CAP_NAMES) {
      const isKept = spend.counters.some(
        (counter) => counter.name === name && (name === "total_usd_cap" || dayOf(counter.windowStart) === day),
      );
      must(4, isKept || model.used(keyId, name, day) === 0n, () => `${name} of day ${day} is not counted`);
    }
  }
  const wanted = { ...sums(model, keyId), calls: calls.length };
  const { counters: _, ...got } = spend;
  must(4, isSame(wanted, got), () => `key ${keyId}: the model has ${text(wanted)}, the store ${text(got)}`);
}

async function checkTotals({ books, model }: LedgerWorld): Promise<void> {
  const got = await books.auditTotals({});
  const calls = [...model.calls.values()];
  const refused = calls.filter(({ state }) => state === "refused").length;
  const wanted = { ...sums(model), calls: calls.length, refused };
  must(4, isSame(wanted, got), () => `in all: the model has ${text(wanted)}, the store ${text(got)}`);
}

function sums({ calls }: LedgerModel, keyId?: string): Record<string, bigint> {
  const of = (state: ModelCall["state"], amount: (call: ModelCall) => bigint) =>
    [...calls.values()]
      .filter((call) => call.state === state && (keyId === undefined || call.keyId === keyId))
      .reduce((sum, call) => sum + amount(call), 0n);
  return {
    settledMicros: of("settled", ({ cost }) => cost),
    heldMicros: of("held", ({ exposure }) => exposure),
    unresolvedMicros: of("unresolved", ({ exposure }) => exposure),
  };
}

function isSame(wanted: Record<string, unknown>, got: object): boolean {
  const found = new Map(Object.entries(got));
  return Object.entries(wanted).every(([name, value]) => found.get(name) === value);
}

function text(record: object): string {
  return Object.entries(record)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}
