import type { HoldDecision, HoldRequest, ResolveRequest } from "../../src/ledger/entry.ts";
import type { RepeatOutcome, RepeatTerms } from "../../src/ledger/repeat.ts";
import type { Store } from "../../src/store/store.ts";
import { DAY_MS, holdOf, NOON, resolutionOf, totalCap, usd } from "../ledger/entries.ts";
import { issue } from "../store/records.ts";
import { type FaultyStore, faultyStore } from "./faults.ts";
import { must } from "./invariant.ts";
import { pickOf } from "./ledger-process.ts";
import { type ModelStore, ON_SQLITE, replicaOf, type Setting } from "./model-store.ts";
import type { Mutate } from "./mutations/mutation.ts";
import { RememberingVendor } from "./remembering-vendor.ts";
import { LIFE_MS, type ReplayHistory, type ReplayStep, type VendorEnd } from "./replay-steps.ts";

/** Each operation costs what its call holds. */
const COST_DOLLARS = 30;
const LEASE_MS = 15_000;

/** A call that was sent and has not ended. */
interface Flight {
  readonly process: number;
  readonly request: HoldRequest;
  readonly decision: Extract<HoldDecision, { admitted: true }>;
  readonly name: string;
}

/** A hold that was taken: the first call of its kind. */
interface Taken {
  readonly id: string;
  readonly name: string;
  readonly body: number;
  readonly at: number;
}

/** Proxies without their sockets on one real database, and a vendor with a memory for idempotency keys. */
export class ReplayWorld {
  readonly #subject: ModelStore;
  readonly #mutate: Mutate;
  readonly #vendor: RememberingVendor;
  readonly #processes: FaultyStore[] = [];
  readonly #owners: string[] = [];
  readonly #taken: Taken[] = [];
  readonly #released = new Set<string>();
  /** By process: calls whose COMMIT failed, made or not. */
  readonly #doubtful: string[][] = [];
  #flights: Flight[] = [];
  #keyId = "";
  #now = NOON;
  #generation = 0;
  #turn = 0;

  private constructor(subject: ModelStore, mutate: Mutate, takesKeys: boolean) {
    this.#subject = subject;
    this.#mutate = mutate;
    this.#vendor = new RememberingVendor(takesKeys);
  }

  /** @throws InvariantBroken */
  static async run(
    { takesKeys, steps }: ReplayHistory,
    mutate: Mutate = (store) => store,
    { open, replicas }: Setting = ON_SQLITE,
  ): Promise<void> {
    const world = new ReplayWorld(await open(), mutate, takesKeys);
    try {
      world.#keyId = (await issue(world.#books, { expiresAt: NOON + 1_000 * DAY_MS })).id;
      for (let index = 0; index < replicas; index++) await world.#start(index);
      for (const step of steps) await world.#step(step);
      await world.#check();
    } finally {
      await world.#subject.close();
    }
  }

  /** A handle without faults and planted bugs. */
  get #books(): Store {
    return this.#subject.store;
  }

  #replica(process: number): number {
    return replicaOf(process, this.#turn, this.#processes.length);
  }

  async #start(index: number): Promise<void> {
    this.#generation += 1;
    this.#doubtful[index] = [];
    this.#owners[index] = `host:${index}:${this.#generation}`;
    this.#processes[index] = faultyStore(this.#mutate(await this.#subject.reopen()));
  }

  async #step(step: ReplayStep): Promise<void> {
    this.#turn += 1;
    if (step.do === "call") return this.#call(step);
    if (step.do === "end") return this.#end(pickOf(this.#flights, step.flight), step.how);
    if (step.do === "resolve") return this.#resolve(step.call);
    if (step.do === "crash") return this.#crash(step);
    if (step.do === "sweep") {
      for (const owner of this.#owners) await this.#books.renewLease({ owner, until: this.#now + LEASE_MS });
      await this.#books.sweepAbandonedHolds(this.#now);
    }
    if (step.do === "purge") await this.#books.purgeRecordedCalls(this.#now);
    if (step.do === "clock") {
      // No call outlasts its time-out, and that is far less than these steps.
      if (step.byMs > 1) for (const flight of this.#flights) await this.#end(flight, "answer_lost");
      this.#now += step.byMs;
    }
  }

  async #call({ process, key, body, fault }: Extract<ReplayStep, { do: "call" }>): Promise<void> {
    const index = this.#replica(process);
    const name = `key:${key}`;
    const repeat: RepeatTerms = {
      slots: [{ name, lifeMs: LIFE_MS }],
      requestHash: `${key}/${body}`,
      vendorKey: this.#vendor.takesKeys ? `kb_${key}` : null,
    };
    const budgets = [totalCap(this.#keyId, 1_000_000)];
    const request = holdOf(this.#keyId, COST_DOLLARS, { repeat, budgets, owner: this.#owners[index]! });
    const faulty = this.#processes[index]!;
    faulty.next = fault;
    const results = await faulty.store.apply([request], this.#now).catch(() => undefined);
    faulty.next = "none";
    const decision = results?.[0] as HoldDecision | undefined;
    const taken = { id: request.facts.id, name, body, at: this.#now };
    if (!decision) {
      // Refused. Where its hold is there after all, the process withdraws it with its next batch, if it lives to do so.
      if (!faulty.isCommitMade) return;
      this.#withdrawn(index);
      // A look-up and a repeat that was refused take nothing.
      const { rows } = await this.#books.queryAudit({ state: "held" }, { limit: 500 });
      if (!rows.some(({ id, exposureMicros }) => id === taken.id && exposureMicros > 0n)) return;
      this.#taken.push(taken);
      this.#doubtful[index]!.push(taken.id);
      return;
    }
    this.#withdrawn(index);
    if (!decision.admitted && decision.code === "replayed") return this.#checkReplay(decision, request, body);
    if (!decision.admitted) return;
    this.#flights.push({ process: index, request, decision, name });
    if (decision.resumes) return this.#checkHolder(decision.resumes.callId, body);
    this.#checkOnly(name);
    this.#taken.push(taken);
  }

  /** A batch has gone through. */
  #withdrawn(process: number): void {
    for (const id of this.#doubtful[process]!.splice(0)) this.#released.add(id);
  }

  /** While a hold's record lives, no other one is taken under its key. */
  #checkOnly(name: string): void {
    const other = this.#taken.find(
      (one) => one.name === name && this.#now - one.at < LIFE_MS && !this.#released.has(one.id),
    );
    must(7, other === undefined, () => `a second hold is taken under ${name}, beside that of ${other!.id}`);
  }

  #checkHolder(callId: string, body: number): void {
    const holder = this.#taken.find(({ id }) => id === callId);
    must(7, holder?.body === body, () => `a request is taken for the repeat of another one, ${callId}`);
  }

  #checkReplay(
    { heldBy, answer }: Extract<HoldDecision, { code: "replayed" }>,
    { repeat }: HoldRequest,
    body: number,
  ): void {
    this.#checkHolder(heldBy, body);
    const said = Buffer.from(answer.sealed).toString();
    must(7, said.endsWith(repeat!.requestHash), () => `a repeat of ${repeat!.requestHash} gets the answer ${said}`);
  }

  async #end(flight: Flight | undefined, how: VendorEnd): Promise<void> {
    if (!flight) return;
    this.#flights = this.#flights.filter((other) => other !== flight);
    const { request, decision } = flight;
    const heldBy = decision.resumes?.callId ?? request.facts.id;
    const vendorKey = decision.resumes?.vendorKey ?? request.repeat!.vendorKey;
    const send = { vendorKey, heldBy, requestHash: request.repeat!.requestHash, at: this.#now };
    if (how === "answered" || how === "answer_lost") this.#vendor.perform(send);
    // A vendor that has done it says so again, and declines only what it has not done.
    const isDone = vendorKey !== null && this.#vendor.knows(send);
    const seen = isDone && (how === "refused" || how === "declined") ? "answered" : how;
    for (const end of ends(flight, seen)) await this.#processes[flight.process]!.store.apply([end], this.#now);
    this.#withdrawn(flight.process);
    if (!decision.resumes && ["refused", "declined", "not_sent"].includes(seen)) this.#released.add(heldBy);
    if (decision.resumes && seen === "declined") this.#released.add(heldBy);
  }

  /** What is in flight gets lost with its process, done by the vendor or not. */
  async #crash({ process, isDone }: Extract<ReplayStep, { do: "crash" }>): Promise<void> {
    const index = this.#replica(process);
    for (const { decision, request } of this.#flights.filter((flight) => flight.process === index)) {
      const heldBy = decision.resumes?.callId ?? request.facts.id;
      const vendorKey = decision.resumes?.vendorKey ?? request.repeat!.vendorKey;
      if (isDone) this.#vendor.perform({ vendorKey, heldBy, requestHash: request.repeat!.requestHash, at: this.#now });
    }
    this.#flights = this.#flights.filter((flight) => flight.process !== index);
    await this.#start(index);
  }

  /** An operator who has looked at the vendor, and does not say so while a look-up is on its way. */
  async #resolve(pick: number): Promise<void> {
    const call = pickOf(this.#taken, pick);
    if (!call || this.#flights.some(({ decision }) => decision.resumes?.callId === call.id)) return;
    if (this.#flights.some(({ request }) => request.facts.id === call.id)) return;
    const { rows } = await this.#books.queryAudit({}, { limit: 500 });
    if (!rows.some(({ id, state }) => id === call.id && state === "unresolved")) return;
    const isDone = this.#vendor.operationsOf(call.id) > 0;
    const said = resolutionOf(call.id, isDone ? "settled" : "released", isDone ? COST_DOLLARS : 0);
    const [result] = await this.#processes[0]!.store.apply([said], this.#now);
    this.#withdrawn(0);
    if (!isDone && result && "resolved" in result && result.resolved) this.#released.add(call.id);
  }

  async #check(): Promise<void> {
    for (const [heldBy, count] of this.#vendor.operations) {
      must(7, count === 1, () => `the vendor did ${count} operations for the one hold of ${heldBy}`);
      const isHeld = this.#taken.some(({ id }) => id === heldBy) && !this.#released.has(heldBy);
      must(7, isHeld, () => `the vendor did an operation for ${heldBy}, which holds nothing`);
    }
    const { counters } = await this.#books.keySpend(this.#keyId);
    const used = counters.reduce((sum, counter) => sum + counter.used, 0n);
    const done = usd(COST_DOLLARS) * BigInt(this.#vendor.operations.size);
    must(7, used >= done, () => `${used} micro-dollars are counted, and ${done} were spent`);
    const mismatches = await this.#books.checkCounters();
    must(4, mismatches.length === 0, () => `counters differ from the rows: ${mismatches.length}`);
  }
}

/** What the proxy hands to the ledger (src/proxy/settle.ts): the call's own end, and what a look-up has found out. */
function ends({ request, decision, name }: Flight, how: VendorEnd): readonly ResolveRequest[] {
  const { facts, repeat } = request;
  const slots = [{ name, lifeMs: LIFE_MS }];
  const sealed = Buffer.from(repeat!.requestHash);
  const outcomes: Record<VendorEnd, readonly [ResolveRequest["to"], RepeatOutcome]> = {
    answered: ["settled", { status: 200, sealed }],
    declined: ["released", { status: 402, sealed }],
    refused: ["released", "free"],
    not_sent: ["released", "free"],
    answer_lost: ["unresolved", "unknown"],
    lost_before: ["unresolved", "unknown"],
  };
  const [to, outcome] = outcomes[how];
  const dollars = to === "settled" ? COST_DOLLARS : 0;
  if (!decision.resumes) return [{ ...resolutionOf(facts.id, to, dollars), repeat: { slots, outcome } }];
  const known = typeof outcome === "string" ? undefined : outcome;
  const own = { ...resolutionOf(facts.id, "settled"), repeat: { slots, outcome: known ?? ("unknown" as const) } };
  return known ? [own, resolutionOf(decision.resumes.callId, to, dollars)] : [own];
}
