import { deepEqual, equal } from "node:assert/strict";
import { between, type Random, randomFrom } from "../../scripts/random.ts";
import type { AuditRow } from "../../src/audit/row.ts";
import { timeOrderedId } from "../../src/core/id.ts";
import type { LedgerEntry } from "../../src/ledger/entry.ts";
import { SPEND_KEYS, type SpendFilter, type SpendKey, type SpendSums } from "../../src/store/spend.ts";
import type { AuditFilter, Store, VaultKeyRecord } from "../../src/store/store.ts";
import { dailyCap, holdOf, resolutionOf } from "../ledger/entries.ts";
import { issue } from "./records.ts";
import type { OpenStore } from "./store-under-test.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const STEPS = 160;

/** Ids of a process are in the order in which they were made, so that time goes on from history to history. */
let clockMs = Date.UTC(2026, 0, 15, 12);

/** A store, what has been done with it, and every row that it ever had, whatever retention has removed. */
class History {
  readonly random: Random;
  readonly handles: Store[];
  readonly keys: VaultKeyRecord[] = [];
  readonly rows = new Map<string, AuditRow>();
  readonly from = clockMs;
  readonly #inFlight = new Map<string, bigint>();
  readonly #unresolved: string[] = [];
  readonly #toBePriced: string[] = [];
  prunedRows = 0;

  /** Rows are hardly added up before retention has them. */
  readonly #isLazy: boolean;

  constructor(handles: Store[], random: Random) {
    this.#isLazy = random() < 0.5;
    this.handles = handles;
    this.random = random;
  }

  get store(): Store {
    return this.pick(this.handles);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[between(this.random, 0, items.length)]!;
  }

  async issueKeys(): Promise<void> {
    for (const label of ["tenant:acme:billing:run-1", "tenant:acme:billing:run-1", "ray/01", null, "tenant:b:mail:x"]) {
      const issuedBy = this.pick([null, "tok_1", "tok_2"]);
      this.keys.push(await issue(this.store, { label, issuedBy, createdAt: clockMs }));
    }
  }

  async step(): Promise<void> {
    clockMs += between(this.random, 0, this.pick([10, 60_000, 40 * 60_000]));
    const dice = this.random();
    if (dice < 0.55) await this.#call();
    else if (dice < 0.8) await this.#end();
    else if (dice < 0.85) await this.#resolve();
    else if (dice < 0.9) await this.#price();
    else if (!this.#isLazy || this.random() < 0.1) await this.store.addUpSpend(between(this.random, 1, 40));
  }

  /** A batch of calls, some of which end in the same transaction. */
  async #call(): Promise<void> {
    const entries: LedgerEntry[] = [];
    for (let count = between(this.random, 1, 5); count > 0; count--) {
      const { id: keyId, label } = this.pick(this.keys);
      const dollars = this.pick([1, 3, 20]);
      const own = this.pick([null, null, "req-1", "ray/01"]);
      const call = holdOf(keyId, dollars, {
        facts: {
          id: timeOrderedId("call", clockMs),
          calledAt: clockMs,
          agentRunLabel: label,
          agentRunId: own ?? label,
          agentName: this.pick(["billing", "mail", null]),
          vendor: this.pick(["stripe", "twilio"]),
          endpoint: this.pick(["/v1/charges", "/v1/refunds"]),
          method: this.pick(["GET", "POST"]),
        },
        budgets: [dailyCap(keyId, 60)],
      });
      entries.push(call);
      if (this.random() < 0.3) entries.push(this.#ended(call.facts.id));
      else this.#inFlight.set(call.facts.id, BigInt(dollars));
    }
    const results = await this.store.apply(entries, clockMs);
    for (const [index, result] of results.entries()) {
      const entry = entries[index]!;
      if (entry.type === "hold" && !("admitted" in result && result.admitted)) this.#inFlight.delete(entry.facts.id);
    }
  }

  #ended(callId: string) {
    const to = this.pick(["settled", "settled", "settled", "released", "unresolved"] as const);
    const cost = to === "settled" ? this.pick([0, 1, 4]) : 0;
    const end = resolutionOf(callId, to, cost, {
      finishedAt: clockMs,
      costSource: to === "settled" ? "rate_table" : "none",
    });
    if (to === "unresolved") this.#unresolved.push(callId);
    if (to !== "settled" || this.random() < 0.5) return end;
    this.#toBePriced.push(callId);
    return { ...end, pricedLater: { path: "/later", askAt: clockMs, besidesMicros: 0n } };
  }

  async #end(): Promise<void> {
    const ids = [...this.#inFlight.keys()];
    if (ids.length === 0) return;
    const id = this.pick(ids);
    this.#inFlight.delete(id);
    await this.store.apply([this.#ended(id)], clockMs);
  }

  async #resolve(): Promise<void> {
    const [id] = this.#unresolved.splice(0, 1);
    if (id === undefined) return;
    const to = this.pick(["settled", "released"] as const);
    await this.store.apply([resolutionOf(id, to, to === "settled" ? 2 : 0, { finishedAt: clockMs })], clockMs);
  }

  async #price(): Promise<void> {
    const [callId] = this.#toBePriced.splice(0, 1);
    if (callId === undefined) return;
    const price = {
      callId,
      priceMicros: BigInt(this.pick([0, 700_000, 9_000_000])),
      vendorTxnId: null,
      httpStatus: 200,
    };
    await this.store.reconcile({ ...price, finishedAt: clockMs });
  }

  /** Remembers the rows that there are, and removes some from the beginning as retention does. */
  async prune(): Promise<void> {
    await this.look();
    const { openFrom } = await this.store.chainState();
    const inOrder = (await this.store.chainRows(0n, 10_000)).toSorted((a, b) => a.chainSeq - b.chainSeq);
    const segments = await this.store.auditSegments();
    let next = (segments.at(-1)?.lastChainSeq ?? 0) + 1;
    const slice = [];
    for (const row of inOrder.slice(0, between(this.random, 1, 60))) {
      if (row.chainSeq !== next || (openFrom !== undefined && row.place >= openFrom)) break;
      slice.push(row);
      next += 1;
    }
    if (slice.length > 0) equal(await this.store.pruneAudit(slice, 5_000, clockMs), true);
    this.prunedRows += slice.length;
  }

  async look(): Promise<void> {
    const { rows } = await this.store.queryAudit({}, { limit: 10_000 });
    for (const row of rows) this.rows.set(row.id, row);
  }

  filter(): SpendFilter {
    const hour = () => this.from + between(this.random, 0, (clockMs - this.from) / HOUR_MS) * HOUR_MS;
    const time = () => this.pick([hour(), between(this.random, this.from, clockMs), hour() - (hour() % DAY_MS)]);
    const some = <Value>(value: Value) => (this.random() < 0.3 ? value : undefined);
    const all = {
      since: this.random() < 0.5 ? time() : undefined,
      until: this.random() < 0.6 ? time() : undefined,
      run: some(this.pick(["ray/01", "req-1", "tenant:acme:billing:run-1", "nobody"])),
      vendor: some("twilio"),
      labelContains: some("acme"),
      keyId: some(this.pick(this.keys).id),
      issuedBy: some("tok_1"),
    };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  }
}

/** Groups as anybody would add them up who has all rows before them. */
function naive(history: History, by: SpendKey, split: boolean, filter: SpendFilter): Record<string, SpendSums> {
  const rows = [...history.rows.values()];
  const resolved = new Set(rows.map(({ refersTo }) => refersTo));
  const issuers = new Map(history.keys.map(({ id, issuedBy }) => [id, issuedBy]));
  const groups: Record<string, SpendSums> = {};
  for (const row of rows) {
    const { calledAt, agentRunLabel: label, agentRunId: own, vendor, vaultKeyId: keyId } = row;
    if (calledAt < (filter.since ?? 0) || calledAt >= (filter.until ?? Number.POSITIVE_INFINITY)) continue;
    if (filter.run !== undefined && filter.run !== label && filter.run !== own) continue;
    if ((filter.vendor ?? vendor) !== vendor || (filter.keyId ?? keyId) !== keyId) continue;
    if (!(label ?? "").includes(filter.labelContains ?? "")) continue;
    if (filter.issuedBy !== undefined && issuers.get(keyId) !== filter.issuedBy) continue;
    const id = JSON.stringify([VALUES[by](row), split ? vendor : null]);
    const before = groups[id] ?? { calls: 0, refused: 0, settledMicros: 0n, heldMicros: 0n, unresolvedMicros: 0n };
    const isOpen = row.state === "unresolved" && !resolved.has(row.id);
    groups[id] = {
      calls: before.calls + (row.refersTo === null ? 1 : 0),
      refused: before.refused + (row.state === "refused" ? 1 : 0),
      settledMicros: before.settledMicros + (row.state === "settled" ? row.costMicros! : 0n),
      heldMicros: before.heldMicros + (row.state === "held" ? row.exposureMicros : 0n),
      unresolvedMicros: before.unresolvedMicros + (isOpen ? row.exposureMicros : 0n),
    };
  }
  return groups;
}

const VALUES: Readonly<Record<SpendKey, (row: AuditRow) => string | null>> = {
  run: ({ agentRunId }) => agentRunId,
  label: ({ agentRunLabel }) => agentRunLabel,
  agent: ({ agentName }) => agentName,
  vendor: ({ vendor }) => vendor,
  endpoint: ({ method, endpoint }) => `${method} ${endpoint}`,
  day: ({ calledAt }) => String(calledAt - (calledAt % DAY_MS)),
  hour: ({ calledAt }) => String(calledAt - (calledAt % HOUR_MS)),
};

async function compare(history: History): Promise<void> {
  await history.look();
  const by = history.pick(SPEND_KEYS);
  const splitByVendor = history.random() < 0.5;
  const filter = history.filter();
  const { groups, since, until } = await history.store.sumSpend({ by, splitByVendor, filter });
  const found = Object.fromEntries(groups.map(({ value, vendor, ...sums }) => [JSON.stringify([value, vendor]), sums]));
  const kept = { ...filter, ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
  deepEqual({ by, filter, found }, { by, filter, found: naive(history, by, splitByVendor, kept) });
  if (history.prunedRows > 0 || filter.issuedBy !== undefined) return;
  // Nothing is gone: the report is exactly what the audit says.
  deepEqual({ since, until }, { since: filter.since, until: filter.until });
  const totals = await history.store.auditTotals(filter as AuditFilter);
  deepEqual({ filter, ...sumOf(groups) }, { filter, ...totals });
}

function sumOf(groups: readonly SpendSums[]): SpendSums {
  const sum = { calls: 0, refused: 0, settledMicros: 0n, heldMicros: 0n, unresolvedMicros: 0n };
  for (const group of groups) {
    sum.calls += group.calls;
    sum.refused += group.refused;
    sum.settledMicros += group.settledMicros;
    sum.heldMicros += group.heldMicros;
    sum.unresolvedMicros += group.unresolvedMicros;
  }
  return sum;
}

/** Calls, ends, later answers and prices in random order, on several handles that all add up; throws where a report is wrong. */
export async function playSpendHistory(seed: number, prunes: boolean, open: OpenStore, replicas = 2): Promise<void> {
  const subject = await open();
  try {
    const handles = [subject.store];
    while (handles.length < replicas) handles.push(await subject.reopen());
    const history = new History(handles, randomFrom(seed));
    await history.issueKeys();
    for (let step = 0; step < STEPS; step++) {
      await history.step();
      if (step % 10 === 9) await compare(history);
      if (prunes && step > 60 && history.random() < 0.05) await history.prune();
    }
    while ((await history.store.addUpSpend(50)).left > 0);
    await compare(history);
    deepEqual(await history.store.checkSpend(), []);
  } finally {
    await subject.close();
  }
}
