import type { Database } from "bun:sqlite";
import type { CallFacts } from "../../audit/row.ts";
import type { Micros } from "../../core/money.ts";
import { windowStart } from "../../core/window.ts";
import { isConcerned, type LedgerView } from "../../ledger/decide.ts";
import type { Brake, KeyState, LedgerEntry, ResolveRequest } from "../../ledger/entry.ts";
import type { Counters } from "./counters.ts";
import type { LedgerState } from "./ledger-state.ts";
import type { Records } from "./records.ts";
import type { TouchedObjects } from "./vendor-objects.ts";

interface KeyRow {
  readonly version: bigint;
  readonly expires_at: bigint;
  readonly revoked_at: bigint | null;
  readonly revoke_reason: string | null;
}

const NO_BRAKES = "[]";

type FactsRow = { readonly [Name in keyof CallFacts]: CallFacts[Name] extends number ? bigint : CallFacts[Name] };

interface FinalRowRead extends FactsRow {
  readonly state: string;
  readonly rule: string;
  readonly exposureMicros: Micros;
  readonly costMicros: Micros | null;
  readonly charges: string | null;
}

/** What a transaction of the ledger has loaded of what it may change. */
export interface LedgerLoad {
  readonly state: LedgerState;
  readonly counters: Counters;
  readonly records: Records;
  readonly objects: TouchedObjects;
}

/** What the ledger reads within its transactions, a prepared statement each. */
export class LedgerReads {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(database: Database) {
    this.#statements = prepare(database);
  }

  /** All that deciding about these entries needs. */
  view(entries: readonly LedgerEntry[], { counters, records, objects, state }: LedgerLoad): LedgerView {
    const { now, frozen } = state;
    const keys = new Map<string, KeyState>();
    const freeAt: LedgerView["freeAt"] = (budget, excess) => counters.freeAt(budget.id, excess);
    for (const entry of entries) {
      if (entry.type === "resolve") {
        loadObjects(objects, entry);
        continue;
      }
      for (const budget of entry.budgets) {
        if (isConcerned(budget, entry)) counters.load(budget.id, windowStart(budget.window, now));
      }
      const id = entry.facts.vaultKeyId;
      if (entry.repeat) records.load(id, entry.repeat);
      if (entry.object) objects.load(entry.object.name);
      const key = keys.has(id) ? undefined : this.#key(id);
      if (key) keys.set(id, key);
    }
    return { now, keys, ...this.#circumstances(), counters, records, objects, frozen, freeAt };
  }

  /** What stands against a call whatever it costs. */
  standing(keyId: string): { readonly key: KeyState | undefined; readonly brakes: readonly Brake[] } {
    return { key: this.#key(keyId), brakes: this.#circumstances().brakes };
  }

  #key(id: string): KeyState | undefined {
    const row = this.#statements.key.get(id);
    if (!row) return undefined;
    return {
      id,
      version: Number(row.version),
      expiresAt: Number(row.expires_at),
      revokedAt: row.revoked_at === null ? null : Number(row.revoked_at),
      revokeReason: row.revoke_reason,
    };
  }

  #circumstances(): { readonly brakes: readonly Brake[]; readonly vendors: ReadonlyMap<string, number> } {
    const row = this.#statements.circumstances.get()!;
    const brakes = row.brakes === NO_BRAKES ? [] : (JSON.parse(row.brakes) as Brake[]);
    return { brakes, vendors: new Map(Object.entries(JSON.parse(row.vendors) as Record<string, number>)) };
  }

  /** The final row of a call, as far as a later resolution needs it. */
  finalRow(callId: string) {
    const row = this.#statements.finalRow.get(callId);
    if (!row) return undefined;
    const { state, rule, exposureMicros, costMicros, charges, ...columns } = row;
    const facts = { ...columns, calledAt: Number(columns.calledAt) };
    return { state, rule, exposureMicros, costMicros, charges, facts };
  }
}

/** What a resolution says of objects is said of what is stored. */
function loadObjects(objects: TouchedObjects, { object, remembers }: ResolveRequest): void {
  if (object !== undefined) objects.load(object);
  if (remembers) objects.load(remembers.name);
}

function prepare(database: Database) {
  return {
    key: database.query<KeyRow, [string]>(
      "SELECT version, expires_at, revoked_at, revoke_reason FROM vault_keys WHERE id = ?",
    ),
    // One statement for both: each costs more than what it reads.
    circumstances: database.query<{ brakes: string; vendors: string }, []>(
      `SELECT (
         SELECT json_group_array(json_object('id', id, 'vendor', vendor, 'labelPrefix', label_prefix,
                  'reason', reason, 'engagedAt', engaged_at) ORDER BY engaged_at, id)
         FROM brakes WHERE released_at IS NULL
       ) AS brakes, (SELECT json_group_object(name, version) FROM vendors) AS vendors`,
    ),
    finalRow: database.query<FinalRowRead, [string]>(
      `SELECT id, called_at AS calledAt, agent_run_id AS agentRunId, agent_run_label AS agentRunLabel,
        agent_name AS agentName, vault_key_id AS vaultKeyId, vendor, method, endpoint, path,
        customer_scope_id AS customerScopeId, triggering_event_id AS triggeringEventId,
        idempotency_key_hash AS idempotencyKeyHash, metadata, state, verdict_rule AS rule,
        exposure_micros AS exposureMicros, cost_micros AS costMicros, charges
       FROM audit_rows WHERE id = ?`,
    ),
  };
}
