import type { Database, Statement } from "bun:sqlite";
import { timeOrderedId } from "../../core/id.ts";
import { Problem } from "../../core/problem.ts";
import type { EpochMs } from "../../core/window.ts";
import { decide, type LedgerView } from "../../ledger/decide.ts";
import type {
  Charge,
  HoldDecision,
  HoldRequest,
  LedgerEntry,
  LedgerResult,
  ResolveRequest,
  ResolveResult,
} from "../../ledger/entry.ts";
import { counterChanges, finalCost } from "../../ledger/settlement.ts";
import { decodeCharges } from "./charges.ts";
import { Counters } from "./counters.ts";
import { FinalRows, unseenEnd } from "./final-rows.ts";
import { type LedgerLoad, LedgerReads } from "./ledger-reads.ts";
import { LedgerStates } from "./ledger-state.ts";
import { OpenBatches } from "./open-batches.ts";
import type { OpenCall } from "./open-call.ts";
import { prepareRecords, Records } from "./records.ts";

type Unresolved = Extract<ResolveResult, { resolved: false }>;

/** A transaction under way: what it has read, and what it will write when it commits. */
interface Work extends LedgerLoad {
  /** Holds taken in it that have not ended in it, by call. */
  readonly opened: Map<string, OpenCall>;
  /** The batch that each owner's holds go into. */
  readonly batches: Map<string, number>;
}

/** Runs the ledger's batches on SQLite: load what they touch, decide, write, commit (fsync), all in one transaction. */
export class SqliteLedger {
  readonly #database: Database;
  readonly #begin: Statement;
  readonly #reads: LedgerReads;
  readonly #states: LedgerStates;
  readonly #rows: FinalRows;
  readonly #open: OpenBatches;
  readonly #recorded: ReturnType<typeof prepareRecords>;
  /** Calls of batches whose COMMIT failed: they were refused, but their holds may turn out to be there (ledger.md). */
  #doubtful: string[] = [];

  constructor(database: Database, chainKey: () => Uint8Array = () => new Uint8Array(0)) {
    this.#database = database;
    this.#begin = database.query("BEGIN IMMEDIATE");
    this.#reads = new LedgerReads(database);
    this.#states = new LedgerStates(database);
    this.#rows = new FinalRows(database, chainKey);
    this.#open = new OpenBatches(database);
    this.#recorded = prepareRecords(database);
  }

  /** The whole batch is on disk when it returns. */
  apply(entries: readonly LedgerEntry[], wallClock: EpochMs): readonly LedgerResult[] {
    const results = this.#transact(
      wallClock,
      (work) => {
        this.#withdrawDoubtful(work);
        const view = this.#reads.view(entries, work);
        return entries.map((entry) =>
          entry.type === "hold" ? this.#hold(view, work, entry) : this.#resolve(work, entry),
        );
      },
      entries,
    );
    this.#doubtful = [];
    return results;
  }

  /** Holds whose owner no longer renews its lease become unresolved: kept in full until somebody knows better. */
  sweepAbandoned(now: EpochMs): number {
    if (!this.#open.needsSweep(now)) return 0;
    return this.#transact(now, (work) => {
      const abandoned = this.#open.takeAbandoned(now);
      const end = unseenEnd(now, "upstream_timeout", "owner_gone");
      return abandoned.filter((call) => {
        this.#recorded.loseAnswer.run(call.facts.vaultKeyId, call.facts.id);
        return this.#end(work, call, "unresolved", null, end, call.capUsageAfterMicros);
      }).length;
    });
  }

  /** Forgets answers that are no longer replayed, a slice of them; the number. */
  purgeRecords(now: EpochMs): number {
    return this.#recorded.purge.run(now).changes;
  }

  #transact<Result>(wallClock: EpochMs, step: (work: Work) => Result, entries: readonly LedgerEntry[] = []): Result {
    this.#begin.run();
    try {
      const work: Work = {
        state: this.#states.read(wallClock),
        counters: new Counters(this.#database),
        records: new Records(this.#recorded),
        opened: new Map(),
        batches: new Map(),
      };
      const result = step(work);
      this.#open.write([...work.opened.values()]);
      this.#open.deleteEnded();
      work.counters.save();
      work.records.save();
      this.#states.write(work.state);
      this.#commit(entries);
      this.#states.committed(work.state);
      return result;
    } catch (cause) {
      this.#open.failed();
      if (this.#database.inTransaction) this.#database.run("ROLLBACK");
      throw cause;
    }
  }

  #commit(entries: readonly LedgerEntry[]): void {
    try {
      this.#database.run("COMMIT");
      this.#open.committed();
    } catch (cause) {
      this.#doubt(entries);
      throw cause;
    }
  }

  /** These calls are refused now, whatever becomes of their holds. */
  #doubt(entries: readonly LedgerEntry[]): void {
    for (const entry of entries) if (entry.type === "hold") this.#doubtful.push(entry.facts.id);
  }

  /** Those that are not there now will not appear later; the others stay in doubt until their withdrawal is committed. */
  #withdrawDoubtful(work: Work): void {
    const end = unseenEnd(work.state.now, "store_unavailable", "commit_in_doubt");
    this.#doubtful = this.#doubtful.filter(
      (callId) =>
        this.#resolve(work, { type: "resolve", callId, to: "released", end: { ...end, costMicros: 0n } }).resolved,
    );
  }

  #hold(view: LedgerView, work: Work, request: HoldRequest): HoldDecision {
    const decision = decide(view, request);
    if (!decision.admitted && decision.code === "stale") return decision;
    const { facts, exposureMicros } = request;
    const seq = ++work.state.lastSeq;
    if (decision.admitted) {
      if (work.opened.has(facts.id)) throw recordedTwice(facts.id);
      const { charges } = decision;
      const { owner, rule } = request;
      const batch = work.batches.get(owner) ?? seq;
      const capUsageAfterMicros = firstDollarUse(work.counters, charges);
      // The money of a call that finds out what became of an earlier one is held by that one.
      const heldMicros = decision.resumes ? 0n : exposureMicros;
      const held = { seq, batch, owner, facts, rule, exposureMicros: heldMicros, capUsageAfterMicros, charges };
      const call: OpenCall = held;
      work.batches.set(owner, batch);
      work.opened.set(facts.id, call);
      return { ...decision, receipt: { seq, charges, held: call } };
    }
    if (decision.code === "replayed") {
      this.#addReplay(work, seq, request, decision.answer.status);
      return decision;
    }
    const { budget } = decision;
    const added = this.#add(work, {
      seq,
      facts,
      refersTo: null,
      rule: decision.rule,
      state: "refused",
      exposureMicros,
      costMicros: 0n,
      capUsageAfterMicros: budget?.unit === "usd" ? budget.used : null,
      charges: null,
      end: unseenEnd(view.now, decision.code, null),
    });
    if (!added) throw recordedTwice(facts.id);
    return decision;
  }

  /** The row of a repeat that was answered from the record: it cost nothing and went nowhere. */
  #addReplay(work: Work, seq: number, { facts }: HoldRequest, httpStatus: number): void {
    const end = { ...unseenEnd(work.state.now, "allowed", "replayed"), httpStatus };
    const money = { exposureMicros: 0n, costMicros: 0n, capUsageAfterMicros: null, charges: null };
    const row = { seq, facts, refersTo: null, rule: "idempotency", state: "settled", ...money, end } as const;
    if (!this.#add(work, row)) throw recordedTwice(facts.id);
  }

  #resolve(work: Work, request: ResolveRequest): ResolveResult {
    const { to, end, callId } = request;
    const call = (request.receipt?.held as OpenCall | undefined) ?? work.opened.get(callId) ?? this.#open.find(callId);
    const costMicros = finalCost(to, end);
    if (call) {
      const use = this.#useAfter(work, call.charges, to, costMicros);
      if (this.#end(work, call, to, to === "unresolved" ? null : costMicros, end, use)) {
        this.#correct(work, call.charges, to, costMicros);
        this.#endRecord(work, call, request);
        return { resolved: true, costMicros };
      }
    }
    return this.#resolveLater(work, request, costMicros);
  }

  #endRecord(work: Work, { facts }: OpenCall, { repeat, receipt, to }: ResolveRequest): void {
    if (repeat) work.records.end(facts.vaultKeyId, repeat.slots, facts.id, repeat.outcome);
    // A call that was resolved without its receipt: withdrawn, or resolved by somebody else than who sent it.
    else if (!receipt) work.records.endUnseen(facts.vaultKeyId, facts.id, to === "released");
  }

  /** The one final row of a call; false where it has one. */
  #end(
    work: Work,
    call: OpenCall,
    to: "settled" | "released" | "unresolved",
    costMicros: bigint | null,
    end: Omit<ResolveRequest["end"], "costMicros">,
    capUsageAfterMicros: bigint | null,
  ): boolean {
    const { seq, facts, rule, exposureMicros, charges } = call;
    const row = { seq, facts, refersTo: null, rule, state: to, exposureMicros, costMicros, capUsageAfterMicros };
    if (!this.#add(work, { ...row, charges, end })) return false;
    if (!work.opened.delete(facts.id)) this.#open.ended(call.batch);
    return true;
  }

  /** An unresolved call whose outcome is known at last: a row of its own, which refers to the call's. */
  #resolveLater(work: Work, request: ResolveRequest, costMicros: bigint): ResolveResult {
    const { callId, to, end, repeat } = request;
    const row = this.#reads.finalRow(callId);
    if (!row) return { resolved: false, why: "unknown_call" };
    if (row.state !== "unresolved" || to === "unresolved") return ALREADY_RESOLVED;
    const { facts, rule, exposureMicros } = row;
    const isByHand = !repeat && end.costSource !== "lookup";
    if (isByHand && work.records.isLookedUp(facts.vaultKeyId, callId))
      return { resolved: false, why: "being_looked_up" };
    const charges = decodeCharges(facts.vaultKeyId, exposureMicros, row.charges);
    const added = this.#add(work, {
      seq: ++work.state.lastSeq,
      facts: { ...facts, id: timeOrderedId("call", work.state.now) },
      refersTo: callId,
      rule,
      state: to,
      exposureMicros,
      costMicros,
      capUsageAfterMicros: this.#useAfter(work, charges, to, costMicros),
      charges,
      end,
    });
    if (!added) return ALREADY_RESOLVED;
    this.#correct(work, charges, to, costMicros);
    if (repeat) work.records.end(facts.vaultKeyId, repeat.slots, callId, repeat.outcome);
    else if (isByHand) work.records.endByHand(facts.vaultKeyId, callId, to === "released");
    return { resolved: true, costMicros };
  }

  #add(work: Work, row: Parameters<FinalRows["add"]>[1]): boolean {
    const head = this.#rows.add(work.state.chain, row);
    if (!head) return false;
    work.state.chain = head;
    return true;
  }

  #correct({ counters }: Work, charges: readonly Charge[], to: ResolveRequest["to"], costMicros: bigint): void {
    for (const change of counterChanges(charges, to, costMicros)) {
      counters.add(change.budgetId, change.windowStart, change.delta);
    }
  }

  /** What the tightest dollar budget will have used; its charge stands first (`HoldDecision`). */
  #useAfter(
    { counters }: Work,
    charges: readonly Charge[],
    to: ResolveRequest["to"],
    costMicros: bigint,
  ): bigint | null {
    const first = charges.find((charge) => charge.unit === "usd");
    if (!first) return null;
    counters.load(first.budgetId, first.windowStart);
    const [change] = counterChanges([first], to, costMicros);
    return counters.used(first) + (change?.delta ?? 0n);
  }
}

const ALREADY_RESOLVED: Unresolved = { resolved: false, why: "already_resolved" };

function firstDollarUse(counters: Counters, charges: readonly Charge[]): bigint | null {
  const first = charges.find((charge) => charge.unit === "usd");
  return first ? counters.used(first) : null;
}

/** Ids are unguessable and made once: a second call with one is a fault of the program, and is not let through. */
function recordedTwice(callId: string): Problem {
  return new Problem(
    "unavailable",
    `call ${callId} is recorded already`,
    "this is a fault in Keybrake; please report it",
  );
}
