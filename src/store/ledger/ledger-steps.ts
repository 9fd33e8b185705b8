import { timeOrderedId } from "../../core/id.ts";
import { Problem } from "../../core/problem.ts";
import type { EpochMs } from "../../core/window.ts";
import { decide, type LedgerView } from "../../ledger/decide.ts";
import type {
  HoldDecision,
  HoldRequest,
  LedgerEntry,
  LedgerResult,
  ReconcileRequest,
  ReconcileResult,
  ResolveRequest,
  ResolveResult,
  Resumed,
} from "../../ledger/entry.ts";
import { leaveObject, rememberNew } from "../../ledger/object.ts";
import { finalCost } from "../../ledger/settlement.ts";
import type { Standing } from "../standing.ts";
import { Counters } from "./counters.ts";
import { FinalRows, unseenEnd } from "./final-rows.ts";
import { LaterRows } from "./later-rows.ts";
import { LedgerReads } from "./ledger-reads.ts";
import { LedgerStates } from "./ledger-state.ts";
import { OpenBatches } from "./open-batches.ts";
import type { OpenCall } from "./open-call.ts";
import { isRecorded, Records } from "./records.ts";
import type { LedgerStatements } from "./statements.ts";
import { readVendorObject, TouchedObjects } from "./vendor-objects.ts";
import { addRow, correctCounters, firstDollarUse, useAfter, type Work } from "./work.ts";

/**
 * What the ledger does within its transactions: load what a batch touches, decide, write. The same for every store; a store
 * gives the statements, and the transaction around `begin`, one step and `save`. A step changes nothing but its `Work` and
 * what it writes, so that a store may run it again from the beginning before anything is committed.
 */
export class LedgerSteps {
  readonly #statements: LedgerStatements;
  readonly #reads: LedgerReads;
  readonly #states: LedgerStates;
  readonly #rows: FinalRows;
  readonly #open: OpenBatches;
  readonly #later: LaterRows;
  /** Calls of batches whose COMMIT failed: they were refused, but their holds may turn out to be there (ledger.md). */
  #doubtful: readonly string[] = [];

  constructor(statements: LedgerStatements, chainKey: () => Uint8Array) {
    this.#statements = statements;
    this.#reads = new LedgerReads(statements.view);
    this.#states = new LedgerStates(statements.state);
    this.#rows = new FinalRows(statements.finalRows, chainKey);
    this.#open = new OpenBatches(statements.openBatches);
    this.#later = new LaterRows(this.#reads, this.#rows, statements.reconciliations);
  }

  /** @param makeId for the rows that the transaction adds by itself; by default ids like those of calls. */
  begin(wallClock: EpochMs, makeId?: () => string): Work {
    const state = this.#states.read(wallClock);
    return {
      state,
      counters: new Counters(this.#statements, state.now),
      records: new Records(this.#statements.records),
      objects: new TouchedObjects(this.#statements.objects),
      opened: new Map(),
      ended: new Map(),
      batches: new Map(),
      doubtful: this.#doubtful,
      makeId: makeId ?? (() => timeOrderedId("call", state.now)),
    };
  }

  /** Writes all that the steps have left to the end. */
  save(work: Work): void {
    this.#open.save(work);
    work.counters.save();
    work.records.save();
    work.objects.save(work.state.now);
    this.#states.write(work.state);
  }

  committed(work: Work): void {
    this.#open.committed(work);
    this.#states.committed(work.state);
    this.#doubtful = work.doubtful;
  }

  /** @param inDoubt what was to be committed when nobody could say any more whether it was. */
  failed(work: Work | undefined, inDoubt: readonly LedgerEntry[] = []): void {
    if (work) this.#open.failed(work);
    // These calls are refused now, whatever becomes of their holds.
    const calls = inDoubt.flatMap((entry) => (entry.type === "hold" ? [entry.facts.id] : []));
    this.#doubtful = [...this.#doubtful, ...calls];
  }

  apply(work: Work, entries: readonly LedgerEntry[]): readonly LedgerResult[] {
    this.#withdrawDoubtful(work);
    const view = this.#reads.view(entries, work);
    return entries.map((entry) => (entry.type === "hold" ? this.#hold(view, work, entry) : this.#resolve(work, entry)));
  }

  needsSweep(now: EpochMs): boolean {
    return this.#open.needsSweep(now);
  }

  /** Holds whose owner no longer renews its lease become unresolved: kept in full until somebody knows better. */
  sweepAbandoned(work: Work, now: EpochMs): number {
    const abandoned = this.#open.takeAbandoned(now);
    const end = unseenEnd(now, "upstream_timeout", "owner_gone");
    return abandoned.filter((call) => {
      this.#statements.records.loseAnswer.run(call.facts.vaultKeyId, call.facts.id);
      return this.#end(work, call, "unresolved", null, end, call.capUsageAfterMicros);
    }).length;
  }

  /** The vendor's own price of a settled call, told later. */
  reconcile(work: Work, request: ReconcileRequest): ReconcileResult {
    return this.#later.reconcile(work, request);
  }

  /** What stands against a call before its money is looked at, and what is known of its object. */
  standing(keyId: string, objectName: string | undefined, wallClock: EpochMs, slotNames: readonly string[]): Standing {
    const { now, frozen } = this.#states.read(wallClock);
    const object = objectName === undefined ? undefined : readVendorObject(this.#statements.objects, objectName);
    const isRepeat = slotNames.some((name) => isRecorded(this.#statements.records, keyId, name, now));
    return { ...this.#reads.standing(keyId), frozen, object, isRepeat, now };
  }

  /** Those that are there are released; the others will not appear later. Until that is committed all stay in doubt. */
  #withdrawDoubtful(work: Work): void {
    const end = { ...unseenEnd(work.state.now, "store_unavailable", "commit_in_doubt"), costMicros: 0n };
    for (const callId of work.doubtful) this.#resolve(work, { type: "resolve", callId, to: "released", end });
    work.doubtful = [];
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
      const call: OpenCall = {
        seq,
        batch,
        owner,
        facts,
        rule,
        exposureMicros: heldMicros,
        capUsageAfterMicros,
        charges,
      };
      work.batches.set(owner, batch);
      work.opened.set(facts.id, call);
      return { ...decision, ...this.#heldEarlier(decision), receipt: { seq, charges, held: call } };
    }
    if (decision.code === "replayed") {
      this.#addReplay(work, seq, request, decision);
      return decision;
    }
    const { budget } = decision;
    const added = addRow(work, this.#rows, {
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

  /** What the call holds that a repeat finds out about: its price is measured by that. */
  #heldEarlier({ resumes }: HoldDecision & { readonly admitted: true }): { readonly resumes?: Resumed } {
    const heldMicros = resumes && this.#reads.finalRow(resumes.callId)?.exposureMicros;
    return heldMicros === undefined ? {} : { resumes: { ...resumes!, heldMicros } };
  }

  /** The row of a repeat that was answered from the record: it cost nothing and went nowhere. */
  #addReplay(work: Work, seq: number, { facts }: HoldRequest, { heldBy, answer }: Replayed): void {
    const end = { ...unseenEnd(work.state.now, "allowed", `replays:${heldBy}`), httpStatus: answer.status };
    const money = { exposureMicros: 0n, costMicros: 0n, capUsageAfterMicros: null, charges: null };
    const row = { seq, facts, refersTo: null, rule: "idempotency", state: "settled", ...money, end } as const;
    if (!addRow(work, this.#rows, row)) throw recordedTwice(facts.id);
  }

  #resolve(work: Work, request: ResolveRequest): ResolveResult {
    const { to, end, callId } = request;
    const call = (request.receipt?.held as OpenCall | undefined) ?? work.opened.get(callId) ?? this.#open.find(callId);
    const costMicros = finalCost(to, end);
    if (call) {
      const use = useAfter(work, call.charges, to, costMicros);
      if (this.#end(work, call, to, to === "unresolved" ? null : costMicros, end, use)) {
        correctCounters(work, call.charges, to, costMicros);
        this.#endRecord(work, call, request);
        this.#endObject(work, call, request);
        return { resolved: true, costMicros };
      }
    }
    return this.#later.resolve(work, request);
  }

  /** What the vendor keeps of the call: its object, which is free again unless nobody knows what was done to it; a price to come. */
  #endObject(work: Work, { facts }: OpenCall, { object, remembers, receipt, to, pricedLater }: ResolveRequest): void {
    if (to === "unresolved") return;
    // What the vendor has refused is as it was.
    if (object !== undefined) {
      const shown = remembers?.name === object ? remembers.json : null;
      leaveObject(work.objects, object, facts.id, to === "released" ? undefined : shown);
    } else if (!receipt) work.objects.leaveUnseen(facts.id);
    if (to === "settled" && remembers && remembers.name !== object) {
      rememberNew(work.objects, remembers.name, remembers.json);
    }
    if (to !== "settled" || !pricedLater) return;
    const { path, askAt, besidesMicros } = pricedLater;
    this.#statements.reconciliations.add.run(facts.id, facts.vendor, path, besidesMicros, askAt);
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
    if (!addRow(work, this.#rows, { ...row, charges, end })) return false;
    if (!work.opened.delete(facts.id)) work.ended.set(call.batch, (work.ended.get(call.batch) ?? 0) + 1);
    return true;
  }
}

type Replayed = Extract<HoldDecision, { code: "replayed" }>;

/** Ids are unguessable and made once: a second call with one is a fault of the program, and is not let through. */
function recordedTwice(callId: string): Problem {
  return new Problem(
    "unavailable",
    `call ${callId} is recorded already`,
    "this is a fault in Keybrake; please report it",
  );
}
