import type { Database } from "bun:sqlite";
import type { CallEnd } from "../../audit/row.ts";
import { type CallState, mayResolve } from "../../core/hold.ts";
import type { EpochMs } from "../../core/window.ts";
import { windowStart } from "../../core/window.ts";
import { decide, type LedgerView } from "../../ledger/decide.ts";
import type {
  Brake,
  Charge,
  HoldDecision,
  HoldReceipt,
  HoldRequest,
  KeyState,
  LedgerEntry,
  LedgerResult,
  ResolveRequest,
  ResolveResult,
} from "../../ledger/entry.ts";
import { type CounterChange, counterChanges, finalCost } from "../../ledger/settlement.ts";
import { decodeCharges, encodeCharges } from "./charges.ts";
import { Counters } from "./counters.ts";

interface OpenCall {
  readonly seq: bigint;
  readonly state: CallState;
  readonly charges: string | null;
}

/** Noting the time costs a page in a commit; once a second is enough for windows of a day. */
const CLOCK_NOTED_EVERY_MS = 1000;

/** Runs the ledger's batches on SQLite: load what they touch, decide, write, commit (fsync), all in one transaction. */
export class SqliteLedger {
  readonly #database: Database;
  readonly #statements: ReturnType<typeof prepare>;
  /** Calls of batches whose COMMIT failed: they were refused, but their rows may turn out to be there (ledger.md). */
  #doubtful: string[] = [];

  #now: EpochMs = 0;

  constructor(database: Database) {
    this.#database = database;
    this.#statements = prepare(database);
  }

  /** The whole batch is on disk when it returns. */
  apply(entries: readonly LedgerEntry[], wallClock: EpochMs): readonly LedgerResult[] {
    this.#database.run("BEGIN IMMEDIATE");
    try {
      const now = this.#tick(wallClock);
      const counters = new Counters(this.#database);
      this.#withdrawDoubtful(counters, now);
      const view = this.#view(entries, counters, now);
      const results = entries.map((entry) =>
        entry.type === "hold" ? this.#hold(view, counters, entry) : this.#resolve(counters, entry),
      );
      counters.save();
      this.#commit(entries);
      return results;
    } catch (cause) {
      if (this.#database.inTransaction) this.#database.run("ROLLBACK");
      throw cause;
    }
  }

  /** Holds whose owner no longer renews its lease become unresolved: kept in full until somebody knows better. */
  sweepAbandoned(now: EpochMs): number {
    return this.#statements.sweep.run(now, now).changes;
  }

  #commit(entries: readonly LedgerEntry[]): void {
    try {
      this.#database.run("COMMIT");
      this.#doubtful = [];
    } catch (cause) {
      this.#doubt(entries);
      throw cause;
    }
  }

  /** These calls are refused now, whatever becomes of their rows. */
  #doubt(entries: readonly LedgerEntry[]): void {
    for (const entry of entries) if (entry.type === "hold") this.#doubtful.push(entry.facts.id);
  }

  /** Those that are not there now will not appear later; the others stay in doubt until their withdrawal is committed. */
  #withdrawDoubtful(counters: Counters, now: EpochMs): void {
    this.#doubtful = this.#doubtful.filter(
      (callId) => this.#resolve(counters, { type: "resolve", callId, to: "released", end: withdrawn(now) }).resolved,
    );
  }

  /** Never runs backwards: not in this process, and over restarts and other processes by less than what is not yet noted. */
  #tick(wallClock: EpochMs): EpochMs {
    const stored = Number(this.#statements.readClock.get()!.now);
    this.#now = Math.max(this.#now, wallClock, stored);
    if (this.#now - stored >= CLOCK_NOTED_EVERY_MS) this.#statements.writeClock.run(this.#now);
    return this.#now;
  }

  #view(entries: readonly LedgerEntry[], counters: Counters, now: EpochMs): LedgerView {
    const keys = new Map<string, KeyState>();
    for (const entry of entries) {
      if (entry.type !== "hold") continue;
      for (const budget of entry.budgets) counters.load(budget.id, windowStart(budget.window, now));
      const id = entry.facts.vaultKeyId;
      if (keys.has(id)) continue;
      const row = this.#statements.key.get(id);
      if (!row) continue;
      keys.set(id, keyState(id, row));
    }
    const brakes: Brake[] = this.#statements.brakes.all().map((row) => ({
      id: row.id,
      vendor: row.vendor,
      labelPrefix: row.label_prefix,
      reason: row.reason,
      engagedAt: Number(row.engaged_at),
    }));
    const vendors = new Map(this.#statements.vendors.all().map((row) => [row.name, Number(row.version)]));
    return { now, keys, brakes, vendors, counters };
  }

  #hold(view: LedgerView, counters: Counters, request: HoldRequest): HoldDecision {
    const decision = decide(view, request);
    if (!decision.admitted && decision.code === "stale") return decision;
    const charges = decision.admitted ? decision.charges : [];
    const capUsage = decision.admitted
      ? firstDollarUse(counters, charges)
      : decision.budget?.unit === "usd"
        ? decision.budget.used
        : null;
    const { facts } = request;
    const { lastInsertRowid } = this.#statements.insertRow.run(
      facts.id,
      facts.calledAt,
      decision.admitted ? null : view.now,
      facts.agentRunId,
      facts.agentRunLabel,
      facts.agentName,
      facts.vaultKeyId,
      facts.vendor,
      facts.method,
      facts.endpoint,
      facts.path,
      decision.admitted ? "allowed" : decision.code,
      decision.admitted ? request.rule : decision.rule,
      decision.admitted ? "held" : "refused",
      request.exposureMicros,
      decision.admitted ? null : 0n,
      "none",
      capUsage,
      facts.customerScopeId,
      facts.triggeringEventId,
      facts.idempotencyKeyHash,
      facts.metadata,
      decision.admitted ? encodeCharges(charges) : null,
      decision.admitted ? request.owner : null,
    );
    return decision.admitted ? { ...decision, receipt: { seq: Number(lastInsertRowid), charges } } : decision;
  }

  #resolve(counters: Counters, request: ResolveRequest): ResolveResult {
    const { to, end } = request;
    const open = request.receipt ?? this.#findOpen(request);
    if ("resolved" in open) return open;
    const costMicros = finalCost(to, end);
    for (const { budgetId, windowStart: start } of open.charges) counters.load(budgetId, start);
    const changes = counterChanges(open.charges, to, costMicros);
    const ended = this.#statements.endRow.run(
      end.finishedAt,
      to,
      to === "unresolved" ? null : costMicros,
      end.costSource,
      dollarUseAfter(counters, open.charges, changes),
      end.vendorRequestId,
      end.vendorTxnId,
      end.httpStatus,
      end.latencyMs,
      end.upstreamLatencyMs,
      end.flag,
      open.seq,
      to,
    );
    // Somebody else was faster, or the row is not there: the counters stay as they are.
    if (ended.changes === 0) return this.#whyNot(request);
    for (const change of changes) counters.add(change.budgetId, change.windowStart, change.delta);
    if (end.verdict !== "allowed") this.#statements.changeVerdict.run(end.verdict, open.seq);
    return { resolved: true, costMicros };
  }

  #findOpen(request: ResolveRequest): HoldReceipt | Extract<ResolveResult, { resolved: false }> {
    const row = this.#statements.openCall.get(request.callId);
    if (!row || !mayResolve(row.state, request.to)) return this.#whyNot(request);
    return { seq: Number(row.seq), charges: decodeCharges(row.charges) };
  }

  #whyNot({ callId }: ResolveRequest): Extract<ResolveResult, { resolved: false }> {
    return { resolved: false, why: this.#statements.openCall.get(callId) ? "already_resolved" : "unknown_call" };
  }
}

function withdrawn(now: EpochMs): CallEnd {
  return {
    finishedAt: now,
    verdict: "store_unavailable",
    costMicros: 0n,
    costSource: "none",
    vendorRequestId: null,
    vendorTxnId: null,
    httpStatus: null,
    latencyMs: null,
    upstreamLatencyMs: null,
    flag: "commit_in_doubt",
  };
}

/** The tightest dollar budget's charge stands first (`HoldDecision`). */
function firstDollarUse(counters: Counters, charges: readonly Charge[]): bigint | null {
  const first = charges.find((charge) => charge.unit === "usd");
  return first ? counters.used(first) : null;
}

function dollarUseAfter(
  counters: Counters,
  charges: readonly Charge[],
  changes: readonly CounterChange[],
): bigint | null {
  const first = charges.find((charge) => charge.unit === "usd");
  if (!first) return null;
  const change = changes.find(
    ({ budgetId, windowStart: start }) => budgetId === first.budgetId && start === first.windowStart,
  );
  return counters.used(first) + (change?.delta ?? 0n);
}

interface KeyRow {
  readonly version: bigint;
  readonly expires_at: bigint;
  readonly revoked_at: bigint | null;
  readonly revoke_reason: string | null;
}

function keyState(id: string, row: KeyRow): KeyState {
  return {
    id,
    version: Number(row.version),
    expiresAt: Number(row.expires_at),
    revokedAt: row.revoked_at === null ? null : Number(row.revoked_at),
    revokeReason: row.revoke_reason,
  };
}

interface BrakeRow {
  readonly id: string;
  readonly vendor: string | null;
  readonly label_prefix: string | null;
  readonly reason: string | null;
  readonly engaged_at: bigint;
}

function prepare(database: Database) {
  return {
    readClock: database.query<{ now: bigint }, []>("SELECT now FROM ledger_clock WHERE id = 1"),
    writeClock: database.query<unknown, [number]>("UPDATE ledger_clock SET now = ? WHERE id = 1"),
    key: database.query<KeyRow, [string]>(
      "SELECT version, expires_at, revoked_at, revoke_reason FROM vault_keys WHERE id = ?",
    ),
    brakes: database.query<BrakeRow, []>(
      "SELECT id, vendor, label_prefix, reason, engaged_at FROM brakes WHERE released_at IS NULL ORDER BY engaged_at, id",
    ),
    vendors: database.query<{ name: string; version: bigint }, []>("SELECT name, version FROM vendors"),
    openCall: database.query<OpenCall, [string]>("SELECT seq, state, charges FROM audit_rows WHERE id = ?"),
    insertRow: database.query(
      `INSERT INTO audit_rows (id, called_at, finished_at, agent_run_id, agent_run_label, agent_name, vault_key_id, vendor,
        method, endpoint, path, policy_verdict, verdict_rule, state, exposure_micros, cost_micros, cost_source,
        cap_usage_after_micros, customer_scope_id, triggering_event_id, idempotency_key_hash, metadata, charges, owner)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    endRow: database.query(
      `UPDATE audit_rows SET finished_at = ?, state = ?, cost_micros = ?, cost_source = ?,
        cap_usage_after_micros = ?, vendor_request_id = ?, vendor_txn_id = ?, http_status = ?, latency_ms = ?,
        upstream_latency_ms = ?, flag = ?
       WHERE seq = ? AND (state = 'held' OR (state = 'unresolved' AND ? <> 'unresolved'))`,
    ),
    // Apart from endRow because SQLite rewrites the index of every column that an UPDATE names, changed or not.
    changeVerdict: database.query<unknown, [string, number]>("UPDATE audit_rows SET policy_verdict = ? WHERE seq = ?"),
    // The second term is the condition of the index on open calls: without it SQLite scans the whole table.
    sweep: database.query<unknown, [number, number]>(
      `UPDATE audit_rows SET state = 'unresolved', finished_at = ?, flag = 'owner_gone'
       WHERE state = 'held' AND state IN ('held', 'unresolved')
         AND owner NOT IN (SELECT owner FROM leases WHERE until > ?)`,
    ),
  };
}
