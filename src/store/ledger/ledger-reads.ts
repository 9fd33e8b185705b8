import { windowStart } from "../../core/window.ts";
import { isConcerned, type LedgerView } from "../../ledger/decide.ts";
import type { Brake, KeyState, LedgerEntry, ResolveRequest } from "../../ledger/entry.ts";
import type { Counters } from "./counters.ts";
import type { LedgerState } from "./ledger-state.ts";
import type { Records } from "./records.ts";
import type { ViewStatements } from "./statements.ts";
import type { TouchedObjects } from "./vendor-objects.ts";

const NO_BRAKES = "[]";

/** What stands against calls: brakes, and secrets that were replaced, by each vendor's version. */
type Circumstances = Pick<LedgerView, "brakes" | "vendors">;

const NOT_ASKED: Circumstances = { brakes: [], vendors: new Map() };

/** What a transaction of the ledger has loaded of what it may change. */
export interface LedgerLoad {
  readonly state: LedgerState;
  readonly counters: Counters;
  readonly records: Records;
  readonly objects: TouchedObjects;
}

/** What the ledger reads within its transactions, a statement each. */
export class LedgerReads {
  readonly #statements: ViewStatements;

  constructor(statements: ViewStatements) {
    this.#statements = statements;
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
    // Resolutions are not judged: they say what has happened already.
    const { brakes, vendors } = entries.some(({ type }) => type === "hold") ? this.#circumstances() : NOT_ASKED;
    return { now, keys, brakes, vendors, counters, records, objects, frozen, freeAt };
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
      revokedBy: row.revoked_by,
    };
  }

  #circumstances(): Circumstances {
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
