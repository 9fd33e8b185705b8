import type { AuditRow } from "../../src/audit/row.ts";
import { startPlane, type TestKey, type TestPlane } from "../harness/plane.ts";
import { type RecordedRequest, startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";
import { type FaultyStore, faultyStore } from "./faults.ts";
import { must } from "./invariant.ts";
import type { Mutate } from "./mutations/mutation.ts";
import type { Shot, Wave, Waves } from "./pipeline-waves.ts";
import { VENDOR_ANSWERS } from "./vendor-answers.ts";

const MICROS_PER_CENT = 10_000n;
/** Each vendor that does not answer costs the run as long. */
const UPSTREAM_TIMEOUT_MS = 300;

/** A shot that was made, and what its client and the vendor have seen of it. */
interface Made {
  readonly id: string;
  readonly shot: Shot;
  /** The status of the answer; undefined where the client had gone. */
  status: number | undefined;
  /** It was made while a commit was to fail, so that it may have been refused without a row. */
  readonly isFaulty: boolean;
  /** Until its answer, or until the end of its wave where the client had gone. */
  tookMs: number | undefined;
  /** Requests of it at the vendor. */
  seen: number;
  onSeen: () => void;
}

/** The real pipeline in this process, over real sockets, with a vendor that writes down what it sees. */
export class PipelineWorld {
  readonly #plane: TestPlane;
  readonly #vendor: VendorDouble;
  readonly #faulty: FaultyStore;
  readonly #made = new Map<string, Made>();
  #count = 0;

  private constructor(plane: TestPlane, vendor: VendorDouble, faulty: FaultyStore) {
    this.#plane = plane;
    this.#vendor = vendor;
    this.#faulty = faulty;
    vendor.answer = (request) => this.#answer(request);
  }

  /** @param mutate plants a bug between the pipeline and its store. */
  static async open(mutate: Mutate = (store) => store): Promise<PipelineWorld> {
    const vendor = await startVendorDouble(() => "hang");
    const plane = await startPlane({
      origins: { stripe: vendor.origin },
      limits: { upstreamTimeoutMs: UPSTREAM_TIMEOUT_MS },
    });
    const faulty = faultyStore({ ...plane.store });
    Object.assign(plane.store, mutate(faulty.store));
    return new PipelineWorld(plane, vendor, faulty);
  }

  async close(): Promise<void> {
    await this.#plane.stop();
    await this.#vendor.stop();
  }

  /** A key of its own for each run; the plane, its store and its vendor are the same for all. */
  async run({ capCents, waves }: Waves): Promise<void> {
    const key = await this.#plane.issue({
      daily_usd_cap: (capCents / 100).toFixed(2),
      denied_endpoints: ["POST /v1/payouts"],
    });
    let revokedAtSeq: number | undefined;
    this.#made.clear();
    for (const wave of waves) {
      const revoked = await this.#wave(key, wave);
      revokedAtSeq ??= revoked;
      await this.#check(key, capCents, revokedAtSeq);
    }
  }

  /** The newest row when the revoke had returned, where there was one. */
  async #wave(key: TestKey, { shots, revokeAfter, isBraked, fault }: Wave): Promise<number | undefined> {
    const { store, clock, plane } = this.#plane;
    const target = { vendor: "stripe", labelPrefix: null };
    if (isBraked)
      await store.engageBrake({ id: `brk_${++this.#count}`, ...target, reason: null, engagedAt: clock.now() });
    this.#faulty.next = fault;
    const beganMs = performance.now();
    const calls = shots.map((shot) => this.#call(key, shot, fault !== "none"));
    const revoked = revokeAfter === null ? undefined : await this.#revoke(key, revokeAfter);
    const made = await Promise.all(calls);
    // Calls whose client has gone go on without it.
    while (plane.inFlight.underWay > 0) await turn();
    await plane.ledger.drain();
    for (const call of made) call.tookMs ??= performance.now() - beganMs;
    this.#faulty.next = "none";
    if (isBraked) await store.releaseBrake(target.vendor, target.labelPrefix, clock.now());
    return revoked;
  }

  async #revoke(key: TestKey, after: number): Promise<number> {
    for (let i = 0; i < after; i++) await turn();
    const { store, clock } = this.#plane;
    await store.revokeKeys({ ids: [key.id] }, null, clock.now());
    return (await this.#rows(key)).reduce((newest, { seq }) => Math.max(newest, seq), 0);
  }

  async #call(key: TestKey, shot: Shot, isFaulty: boolean): Promise<Made> {
    const beganMs = performance.now();
    const client = new AbortController();
    const id = `shot-${++this.#count}`;
    const made: Made = { id, shot, status: undefined, isFaulty, tookMs: undefined, seen: 0, onSeen: () => {} };
    this.#made.set(id, made);
    if (shot.hangUp === "at_vendor") made.onSeen = () => client.abort();
    else if (shot.hangUp !== "never") void hangUpAfter(shot.hangUp, client);
    try {
      const response = await fetch(`${this.#plane.url}/stripe/v1/${shot.isDenied ? "payouts" : "payment_intents"}`, {
        method: "POST",
        redirect: "manual",
        signal: client.signal,
        headers: {
          authorization: `Bearer ${key.token}`,
          "content-type": "application/x-www-form-urlencoded",
          "x-agent-run-id": id,
        },
        body: `amount=${shot.cents}&currency=usd&${shot.isDenied ? "" : "confirm=true&"}metadata[shot]=${id}`,
      });
      await response.arrayBuffer();
      made.status = response.status;
      made.tookMs = performance.now() - beganMs;
    } catch (cause) {
      if (!client.signal.aborted) throw cause;
    }
    return made;
  }

  #answer(request: RecordedRequest): ReturnType<(typeof VENDOR_ANSWERS)["at_cost"]["answer"]> {
    const made = this.#made.get(new URLSearchParams(request.body).get("metadata[shot]") ?? "");
    if (!made) return { status: 500, body: "{}" };
    made.seen += 1;
    made.onSeen();
    return VENDOR_ANSWERS[made.shot.answer].answer(made.shot.cents);
  }

  async #rows(key: TestKey): Promise<readonly AuditRow[]> {
    return (await this.#plane.store.queryAudit({ keyId: key.id }, { limit: 10_000 })).rows;
  }

  async #check(key: TestKey, capCents: number, revokedAtSeq: number | undefined): Promise<void> {
    const rows = await this.#rows(key);
    for (const made of this.#made.values()) {
      checkShot(
        made,
        rows.filter((row) => row.agentRunId === made.id),
      );
    }
    for (const row of rows) {
      must(5, this.#made.has(row.agentRunId!), () => `nobody made the call of the row ${row.id}`);
      const isLate = revokedAtSeq !== undefined && row.seq > revokedAtSeq;
      must(6, !isLate || row.state === "refused", () => `${row.agentRunId} was held after the revoke had returned`);
    }
    await this.#checkCap(key, BigInt(capCents) * MICROS_PER_CENT, rows);
  }

  async #checkCap(key: TestKey, cap: bigint, rows: readonly AuditRow[]): Promise<void> {
    const spent = rows.map(left);
    // At the last admission every call counted at least this much: what a vendor takes above its hold is known later.
    const asked = rows.reduce((sum, row) => sum + least(left(row), row.exposureMicros), 0n);
    must(1, asked <= cap, () => `calls that were admitted ask for ${asked}, the cap is ${cap}`);
    const total = spent.reduce((sum, amount) => sum + amount, 0n);
    const { counters } = await this.#plane.store.keySpend(key.id);
    const used = counters.find(({ name }) => name === "daily_usd_cap")?.used ?? 0n;
    must(4, used === total, () => `daily_usd_cap counts ${used}, the rows sum up to ${total}`);
    const mismatches = await this.#plane.store.checkCounters();
    must(4, mismatches.length === 0, () => `${mismatches.length} counters do not equal their rows`);
  }
}

function checkShot({ id, shot, status, isFaulty, tookMs, seen }: Made, rows: readonly AuditRow[]): void {
  const [row] = rows;
  must(5, rows.length <= 1, () => `${id} has ${rows.length} rows`);
  must(2, seen <= 1, () => `the vendor saw ${id} ${seen} times`);
  must(
    2,
    seen === 0 || (row !== undefined && row.state !== "refused"),
    () => `the vendor saw ${id}, which is ${row?.state}`,
  );
  // Its commit failed: the client was told so. A row that is there all the same is kept in full until somebody knows
  // better, or has been withdrawn.
  const isUnsent = row === undefined || row.state === "held" || row.flag === "commit_in_doubt";
  if (isFaulty && seen === 0 && isUnsent) {
    must(2, status === undefined || status === 503, () => `${id} was answered ${status}, and its commit had failed`);
    return;
  }
  if (row === undefined) {
    must(
      5,
      shot.hangUp !== "never" && shot.hangUp !== "at_vendor",
      () => `${id} was answered ${status} and has no row`,
    );
    return;
  }
  if (row.state === "refused") {
    must(2, status === undefined || status >= 400, () => `${id} was refused, and answered ${status}`);
    return;
  }
  // On a busy machine a vendor that does answer may be too late. The call must have taken as long, and is then as one to a
  // vendor that is silent, or that was not even reached.
  const isTooLate = row.flag === "timeout" && tookMs! >= UPSTREAM_TIMEOUT_MS;
  must(2, seen === 1 || isTooLate, () => `${id} is ${row.state}, and the vendor never saw it`);
  const { state, costCents } = VENDOR_ANSWERS[isTooLate ? "silent" : shot.answer];
  must(3, row.state === state, () => `${id}, ${shot.answer}, is ${row.state}, not ${state}`);
  const cost = BigInt(costCents(shot.cents)) * MICROS_PER_CENT;
  must(3, left(row) === cost, () => `${id}, ${shot.answer}, leaves ${left(row)}, not ${cost}`);
}

/** What a call leaves on its cap. */
function left({ state, costMicros, exposureMicros }: AuditRow): bigint {
  if (state === "refused" || state === "released") return 0n;
  return state === "settled" ? costMicros! : exposureMicros;
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function turn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

async function hangUpAfter(turns: number, client: AbortController): Promise<void> {
  for (let i = 0; i < turns; i++) await turn();
  client.abort();
}
