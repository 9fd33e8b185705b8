import { timeOrderedId } from "../../src/core/id.ts";
import { Problem } from "../../src/core/problem.ts";
import type { EpochMs } from "../../src/core/window.ts";
import type { HoldRequest, LedgerEntry, LedgerResult } from "../../src/ledger/entry.ts";
import type { Store } from "../../src/store/store.ts";
import { NOON } from "../ledger/entries.ts";
import { keyRecord } from "../store/records.ts";
import { checkForwarded } from "./books.ts";
import { difference } from "./compare-results.ts";
import { InvariantBroken, must } from "./invariant.ts";
import { LedgerModel, type ModelBrake, type ModelKey } from "./ledger-model.ts";
import { LedgerProcess, pickOf } from "./ledger-process.ts";
import { LedgerTime } from "./ledger-time.ts";
import { type ModelStore, ON_SQLITE, replicaOf, type Setting } from "./model-store.ts";
import type { Mutate } from "./mutations/mutation.ts";
import { policyOf } from "./requests.ts";
import type { BrakeScope, Caps, CommitFault, Step } from "./steps.ts";

const LEASE_MS = 15_000;

const SCOPES: Record<BrakeScope, ModelBrake> = {
  everything: { vendor: null, labelPrefix: null },
  vendor: { vendor: "stripe", labelPrefix: null },
  label: { vendor: null, labelPrefix: "ray/" },
};

/** Processes on one real database, and beside them the model, to which the same things happen. */
export class LedgerWorld {
  readonly model = new LedgerModel();
  /** Calls that a process has forwarded. */
  readonly vendorSaw = new Set<string>();
  /** Of keys whose revoke has returned: how many calls had been admitted until then. */
  readonly admittedAtRevoke = new Map<string, number>();
  readonly #subject: ModelStore;
  readonly #mutate: Mutate;
  readonly #processes: LedgerProcess[] = [];
  readonly #time = new LedgerTime();
  #wall: EpochMs = NOON;
  #generation = 0;
  #isDiskFull = false;
  #turn = 0;

  private constructor(subject: ModelStore, mutate: Mutate) {
    this.#subject = subject;
    this.#mutate = mutate;
  }

  static async open(mutate: Mutate, { open, replicas }: Setting = ON_SQLITE): Promise<LedgerWorld> {
    const world = new LedgerWorld(await open(), mutate);
    for (let index = 0; index < replicas; index++) await world.#start(index);
    return world;
  }

  /** A handle that no process uses: it sees what is committed, and no planted bug stands before it. */
  get books(): Store {
    return this.#subject.store;
  }

  close(): Promise<void> {
    return this.#subject.close();
  }

  /** @throws InvariantBroken where the store's answer is none that the model allows. */
  async run(step: Step): Promise<void> {
    this.#turn += 1;
    switch (step.do) {
      case "issue":
        return this.#issue(step);
      case "change":
      case "expire":
        return this.#change(step);
      case "revoke":
        return this.#revoke(step);
      case "brake":
        return this.#brake(step);
      case "unbrake":
        return this.#unbrake(step);
      case "batch":
        return this.#batch(step);
      case "upkeep":
        return this.#upkeep(this.#processes[this.#replica(step)]!);
      // What a crash leaves: the handle with whatever it had committed, holds that nobody will end, a lease that runs out.
      case "crash":
        return this.#start(this.#replica(step));
      case "restart":
        return this.#processes[this.#replica(step)]!.reopen(() => this.#subject.reopen());
      case "clock":
        this.#wall += step.byMs;
        return;
      case "disk_full":
        this.#isDiskFull = true;
        return this.#subject.fillDisk(step.tables);
      case "disk_free":
        this.#isDiskFull = false;
        return this.#subject.freeDisk();
    }
  }

  async #start(index: number): Promise<void> {
    this.#generation += 1;
    const owner = `host:${index}:${this.#generation}`;
    const process = new LedgerProcess(owner, await this.#subject.reopen(), this.#mutate);
    this.#processes[index] = process;
    await this.#renewLease(process);
  }

  async #issue({ caps, lifeMs, vendor, label }: Extract<Step, { do: "issue" }>): Promise<void> {
    const expiresAt = this.#wall + lifeMs;
    const id = timeOrderedId("vk", this.#wall);
    const record = keyRecord({
      id,
      vendors: [vendor],
      label,
      policy: policyOf(vendor, caps),
      createdAt: this.#wall,
      expiresAt,
    });
    await this.#operate(
      (store) => store.insertKey(record, false),
      () => this.model.keys.set(id, { id, vendor, label, caps, expiresAt, version: 1, isRevoked: false }),
    );
  }

  async #change(step: Extract<Step, { do: "change" | "expire" }>): Promise<void> {
    const key = this.#key(step.key);
    if (!key) return;
    const caps: Caps = step.do === "change" ? step.caps : key.caps;
    const expiresAt = step.do === "expire" ? this.#wall : key.expiresAt;
    const change = { policy: policyOf(key.vendor, caps), expiresAt, fromVersion: key.version };
    await this.#operate(
      (store) => store.updateKey(key.id, change),
      () => Object.assign(key, { caps, expiresAt, version: key.version + 1 }),
    );
  }

  async #revoke(step: Extract<Step, { do: "revoke" }>): Promise<void> {
    const key = this.#key(step.key);
    if (!key) return;
    await this.#operate(
      (store) => store.revokeKeys({ ids: [key.id] }, null, this.#wall),
      () => {
        key.isRevoked = true;
        if (!this.admittedAtRevoke.has(key.id)) this.admittedAtRevoke.set(key.id, this.#admitted(key.id));
      },
      this.#replica(step),
    );
  }

  async #brake({ scope }: Extract<Step, { do: "brake" }>): Promise<void> {
    const engagedAt = this.#wall;
    const brake = { id: timeOrderedId("brk", engagedAt), ...SCOPES[scope], reason: null, engagedAt };
    await this.#operate(
      (store) => store.engageBrake(brake),
      () => this.model.brakes.push(SCOPES[scope]),
    );
  }

  async #unbrake({ brake }: Extract<Step, { do: "unbrake" }>): Promise<void> {
    const { brakes } = this.model;
    const released = pickOf(brakes, brake) ?? SCOPES.everything;
    await this.#operate(
      (store) => store.releaseBrake(released.vendor, released.labelPrefix, this.#wall),
      () => brakes.splice(0, brakes.length, ...brakes.filter((one) => one !== released)),
    );
  }

  async #upkeep(process: LedgerProcess): Promise<void> {
    await this.#renewLease(process);
    this.#time.seen(this.#wall);
    await this.#operate(
      async (store) => {
        const swept = await store.sweepAbandonedHolds(this.#wall);
        const wanted = this.model.sweep(this.#wall);
        must(3, swept === wanted, () => `${swept} holds were made unresolved, the model says ${wanted}`);
      },
      () => {},
      this.#processes.indexOf(process),
    );
  }

  async #renewLease({ owner, store }: LedgerProcess): Promise<void> {
    const until = this.#wall + LEASE_MS;
    await this.#attempt(
      () => store.renewLease({ owner, until }),
      () => this.model.leases.set(owner, until),
    );
  }

  async #batch(step: Extract<Step, { do: "batch" }>): Promise<void> {
    const { entries, fault } = step;
    const process = this.#processes[this.#replica(step)]!;
    const requests = await process.requests(entries, this.model, this.#wall);
    if (requests.length === 0) return;
    // What a batch decides whose answers nobody hears is known only where its time is.
    const isTimeKnown = this.#time.candidates(this.#wall).length === 1;
    const planted = fault === "commit_lost" && !isTimeKnown ? "none" : fault;
    const stale = await this.#apply(process, requests, planted);
    if (stale.length === 0) return;
    // What the proxy does: it reads the key again, and has the call judged again.
    process.forgetKeys();
    const again = stale.map(async (request) => {
      const { version: keyVersion, budgets } = await process.key(request.facts.vaultKeyId);
      return { ...request, keyVersion, budgets };
    });
    const left = await this.#apply(process, await Promise.all(again), "none");
    must(8, left.length === 0, () => `${left.length} calls were judged by the newest policy and are stale`);
  }

  /** One batch, as a process sees it; the calls that have to be judged again. */
  async #apply(
    process: LedgerProcess,
    requests: readonly LedgerEntry[],
    fault: CommitFault,
  ): Promise<readonly HoldRequest[]> {
    let results: readonly LedgerResult[];
    process.faulty.next = fault;
    try {
      results = await process.store.apply(requests, this.#wall);
    } catch (cause) {
      this.#mayFail(cause, fault !== "none");
      this.#unheard(process, requests);
      return [];
    }
    const stale = await this.#forward(process, requests, results);
    this.#agree(process, requests, results);
    return stale;
  }

  /** What a batch that was reported as failed has done all the same. */
  #unheard(process: LedgerProcess, requests: readonly LedgerEntry[]): void {
    const { lost, isCommitMade } = process.faulty;
    this.#time.seen(this.#wall);
    if (lost) this.#agree(process, requests, lost);
    if (isCommitMade === undefined) return;
    if (isCommitMade) {
      const now = this.#time.candidates(this.#wall)[0]!;
      this.model.perform(requests, now, process.inDoubt);
      this.#time.committed(now);
    }
    const calls = requests.flatMap((request) => (request.type === "hold" ? [request.facts.id] : []));
    process.inDoubt = [...process.inDoubt, ...calls];
  }

  /** Sends what was admitted, as the proxy does at once; by then it must be on disk. The calls to be judged again. */
  async #forward(
    process: LedgerProcess,
    requests: readonly LedgerEntry[],
    results: readonly LedgerResult[],
  ): Promise<readonly HoldRequest[]> {
    const stale: HoldRequest[] = [];
    for (const [index, request] of requests.entries()) {
      const result = results[index]!;
      if (request.type !== "hold" || !("admitted" in result)) continue;
      if (result.admitted) {
        this.vendorSaw.add(request.facts.id);
        if (result.receipt) process.receipts.set(request.facts.id, result.receipt);
      } else if (result.code === "stale") stale.push(request);
    }
    await checkForwarded(this);
    return stale;
  }

  #agree(process: LedgerProcess, requests: readonly LedgerEntry[], results: readonly LedgerResult[]): void {
    let first: InvariantBroken | undefined;
    for (const now of this.#time.candidates(this.#wall)) {
      const broken = difference(requests, this.model.foresee(requests, now, process.inDoubt), results);
      if (!broken) {
        this.model.perform(requests, now, process.inDoubt);
        process.inDoubt = [];
        this.#time.committed(now);
        return;
      }
      first ??= broken;
    }
    throw first!;
  }

  #operate(verb: (store: Store) => Promise<unknown>, done: () => void, process = 0): Promise<void> {
    return this.#attempt(() => verb(this.#processes[process]!.store), done);
  }

  async #attempt(verb: () => Promise<unknown>, done: () => void): Promise<void> {
    try {
      await verb();
    } catch (cause) {
      this.#mayFail(cause, false);
      return;
    }
    done();
  }

  /** A store may say that it is unavailable, where it is. */
  #mayFail(cause: unknown, isFault: boolean): void {
    if (cause instanceof InvariantBroken) throw cause;
    const isUnavailable = cause instanceof Problem && cause.code === "unavailable";
    must(8, isUnavailable && (isFault || this.#isDiskFull), () => `the store failed without a cause: ${cause}`);
  }

  #replica({ process }: { readonly process: number }): number {
    return replicaOf(process, this.#turn, this.#processes.length);
  }

  #key(pick: number): ModelKey | undefined {
    return pickOf([...this.model.keys.values()], pick);
  }

  #admitted(keyId: string): number {
    return [...this.model.calls.values()].filter((call) => call.keyId === keyId && call.state !== "refused").length;
  }
}
