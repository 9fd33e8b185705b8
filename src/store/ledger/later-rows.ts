import type { Micros } from "../../core/money.ts";
import type { Charge, ReconcileRequest, ReconcileResult, ResolveRequest, ResolveResult } from "../../ledger/entry.ts";
import { finalCost } from "../../ledger/settlement.ts";
import { decodeCharges } from "./charges.ts";
import { type FinalRows, unseenEnd } from "./final-rows.ts";
import type { LedgerReads } from "./ledger-reads.ts";
import type { ReconciliationStatements } from "./statements.ts";
import { addRow, correctCounters, useAfter, type Work } from "./work.ts";

type Unresolved = Extract<ResolveResult, { resolved: false }>;
type FinalRowRead = NonNullable<ReturnType<LedgerReads["finalRow"]>>;

/** Rows that refer to a call whose own row is final: what became of it, or what it did cost, has been told later. */
export class LaterRows {
  readonly #reads: LedgerReads;
  readonly #rows: FinalRows;
  readonly #waiting: ReconciliationStatements;

  constructor(reads: LedgerReads, rows: FinalRows, waiting: ReconciliationStatements) {
    this.#reads = reads;
    this.#rows = rows;
    this.#waiting = waiting;
  }

  /** An unresolved call whose outcome is known at last. */
  resolve(work: Work, request: ResolveRequest): ResolveResult {
    const { callId, to, end, repeat } = request;
    const row = this.#reads.finalRow(callId);
    if (!row) return { resolved: false, why: "unknown_call" };
    if (row.state !== "unresolved" || to === "unresolved") return ALREADY_RESOLVED;
    const { facts, exposureMicros } = row;
    const isByHand = !repeat && end.costSource !== "lookup";
    if (isByHand && work.records.isLookedUp(facts.vaultKeyId, callId))
      return { resolved: false, why: "being_looked_up" };
    const costMicros = finalCost(to, end);
    const charges = decodeCharges(facts.vaultKeyId, exposureMicros, row.charges);
    const use = useAfter(work, charges, to, costMicros);
    if (!this.#add(work, row, { state: to, costMicros, exposureMicros, capUsageAfterMicros: use, charges, end }))
      return ALREADY_RESOLVED;
    correctCounters(work, charges, to, costMicros);
    work.objects.leaveUnseen(callId);
    if (repeat) work.records.end(facts.vaultKeyId, repeat.slots, callId, repeat.outcome);
    else if (isByHand) work.records.endByHand(facts.vaultKeyId, callId, to === "released");
    return { resolved: true, costMicros };
  }

  /** The vendor's own price of a settled call: the difference to what was counted, in the window of the hold. */
  reconcile(work: Work, request: ReconcileRequest): ReconcileResult {
    const { callId, priceMicros, finishedAt, vendorTxnId, httpStatus } = request;
    const isWaiting = this.#waiting.remove.run(callId).changes > 0;
    const row = isWaiting ? this.#reads.finalRow(callId) : undefined;
    if (row?.state !== "settled" || row.costMicros === null) return { reconciled: false };
    const costMicros = priceMicros - row.costMicros;
    const held = decodeCharges(row.facts.vaultKeyId, row.exposureMicros, row.charges);
    // What was sent stays sent: only dollars are corrected.
    const charges = held.filter(({ unit }) => unit === "usd").map((charge): Charge => ({ ...charge, amount: 0n }));
    const capUsageAfterMicros = useAfter(work, charges, "settled", costMicros);
    const end = {
      ...unseenEnd(finishedAt, "allowed", null),
      costSource: "reconciled",
      vendorTxnId,
      httpStatus,
    } as const;
    const money = { costMicros, exposureMicros: 0n, capUsageAfterMicros, charges };
    if (!this.#add(work, row, { state: "settled", ...money, end })) return { reconciled: false };
    correctCounters(work, charges, "settled", costMicros);
    return { reconciled: true, costMicros };
  }

  #add(work: Work, { facts, rule }: FinalRowRead, later: Later): boolean {
    return addRow(work, this.#rows, {
      seq: ++work.state.lastSeq,
      facts: { ...facts, id: work.makeId() },
      refersTo: facts.id,
      rule,
      ...later,
    });
  }
}

interface Later {
  readonly state: "settled" | "released";
  readonly costMicros: Micros;
  readonly exposureMicros: Micros;
  readonly capUsageAfterMicros: Micros | null;
  readonly charges: readonly Charge[];
  readonly end: Omit<ResolveRequest["end"], "costMicros">;
}

const ALREADY_RESOLVED: Unresolved = { resolved: false, why: "already_resolved" };
