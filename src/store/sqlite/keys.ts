import { and, desc, eq, gt, inArray, isNull, lt, type SQL, sql } from "drizzle-orm";
import type { BunSQLiteDatabase } from "drizzle-orm/bun-sqlite";
import type { EpochMs } from "../../core/window.ts";
import type { KeySpend } from "../key-spend.ts";
import type { KeyChange, KeyFilter, KeyInserted, KeySelector, VaultKeyRecord } from "../store.ts";
import { isUnresolved } from "./audit.ts";
import { rollingUses } from "./rolling-uses.ts";
import { auditRows, callsInFlight, counters, vaultKeys } from "./schema.ts";

type KeyRow = typeof vaultKeys.$inferSelect;

/** Vault keys on SQLite. Every method is one statement or one immediate transaction. */
export class SqliteKeys {
  readonly #db: BunSQLiteDatabase;
  readonly #byHash;

  constructor(db: BunSQLiteDatabase) {
    this.#db = db;
    this.#byHash = db
      .select()
      .from(vaultKeys)
      .where(eq(vaultKeys.tokenHash, sql.placeholder("hash")))
      .prepare();
  }

  findByHash(tokenHash: Uint8Array): VaultKeyRecord | undefined {
    return this.#byHash.all({ hash: Buffer.from(tokenHash) }).map(record)[0];
  }

  get(id: string): VaultKeyRecord | undefined {
    return this.#db.select().from(vaultKeys).where(eq(vaultKeys.id, id)).all().map(record)[0];
  }

  list(filter: KeyFilter): readonly VaultKeyRecord[] {
    const conditions: SQL[] = [];
    if (filter.label !== undefined) conditions.push(eq(vaultKeys.label, filter.label));
    if (filter.labelContains) conditions.push(sql`instr(${vaultKeys.label}, ${filter.labelContains}) > 0`);
    if (filter.vendor !== undefined) conditions.push(isForVendor(filter.vendor));
    if (filter.issuedBy !== undefined) conditions.push(eq(vaultKeys.issuedBy, filter.issuedBy));
    if (filter.before !== undefined) conditions.push(lt(vaultKeys.id, filter.before));
    if (filter.activeAt !== undefined)
      conditions.push(isNull(vaultKeys.revokedAt), gt(vaultKeys.expiresAt, filter.activeAt));
    const query = this.#db
      .select()
      .from(vaultKeys)
      .where(and(...conditions));
    return query.orderBy(desc(vaultKeys.id)).limit(filter.limit).all().map(record);
  }

  /** All of them in one transaction, in their order. */
  insertAll(all: readonly { readonly key: VaultKeyRecord; readonly uniqueLabel: boolean }[]): readonly KeyInserted[] {
    return this.#db.transaction(() => all.map(({ key, uniqueLabel }) => this.#insert(key, uniqueLabel)), {
      behavior: "immediate",
    });
  }

  #insert(key: VaultKeyRecord, uniqueLabel: boolean): KeyInserted {
    const active = uniqueLabel && key.label !== null ? this.#activeWithLabel(key.label, key.createdAt) : undefined;
    if (active) return { inserted: false, activeKeyId: active };
    this.#db
      .insert(vaultKeys)
      .values({ ...key, tokenHash: Buffer.from(key.tokenHash), metadata: { ...key.metadata } })
      .run();
    return { inserted: true };
  }

  update(id: string, change: KeyChange): VaultKeyRecord | undefined {
    return this.#db
      .update(vaultKeys)
      .set({ policy: change.policy, expiresAt: change.expiresAt, version: change.fromVersion + 1 })
      .where(and(eq(vaultKeys.id, id), eq(vaultKeys.version, change.fromVersion)))
      .returning()
      .all()
      .map(record)[0];
  }

  revoke(selector: KeySelector, reason: string | null, now: EpochMs): readonly VaultKeyRecord[] {
    const conditions = selectorConditions(selector);
    return this.#db
      .update(vaultKeys)
      .set({ revokedAt: now, revokeReason: reason })
      .where(and(isNull(vaultKeys.revokedAt), ...conditions))
      .returning()
      .all()
      .map(record);
  }

  /** @param now as `Store.keySpend` has it. */
  spend(keyId: string, now: EpochMs = 0): KeySpend {
    return this.#db.transaction(() => this.#spend(keyId, now));
  }

  #spend(keyId: string, now: EpochMs): KeySpend {
    const prefix = `key:${keyId}:`;
    const rows = this.#db
      .select()
      .from(counters)
      .where(and(sql`${counters.budgetId} >= ${prefix}`, sql`${counters.budgetId} < ${`key:${keyId};`}`))
      .orderBy(counters.budgetId, counters.windowStart)
      .all();
    const [final] = this.#db
      .select({
        calls: sql<bigint>`count(*) FILTER (WHERE ${auditRows.refersTo} IS NULL)`,
        refused: sql<bigint>`count(*) FILTER (WHERE ${auditRows.state} = 'refused')`,
        settled: sql<bigint>`coalesce(sum(${auditRows.costMicros}) FILTER (WHERE ${auditRows.state} = 'settled'), 0)`,
        // Never over refused calls: an agent can ask for a trillion dollars until the sum does not fit 64 bits.
        unresolved: sql<bigint>`coalesce(sum(${auditRows.exposureMicros}) FILTER (WHERE ${isUnresolved}), 0)`,
      })
      .from(auditRows)
      .where(eq(auditRows.vaultKeyId, keyId))
      .all();
    const [open] = this.#db
      .select({
        calls: sql<bigint>`count(*)`,
        held: sql<bigint>`coalesce(sum(${callsInFlight.exposureMicros}), 0)`,
      })
      .from(callsInFlight)
      .where(eq(callsInFlight.vaultKeyId, keyId))
      .all();
    const inWindows = rows.map(({ budgetId, windowStart, used }) => ({
      name: budgetId.slice(prefix.length),
      windowStart,
      used,
    }));
    return {
      counters: [...inWindows, ...rollingUses(this.#db, keyId, now)],
      settledMicros: final!.settled,
      heldMicros: open!.held,
      unresolvedMicros: final!.unresolved,
      calls: Number(final!.calls + open!.calls),
      refused: Number(final!.refused),
    };
  }

  #activeWithLabel(label: string, now: EpochMs): string | undefined {
    return this.list({ label, activeAt: now, limit: 1 })[0]?.id;
  }
}

/**
 * @throws Error where the selector selects by nothing: revoking everything has to be said, and an empty prefix, which
 * every label has, is an unset variable in somebody's script.
 */
function selectorConditions(selector: KeySelector): SQL[] {
  const conditions: SQL[] = [];
  if (selector.ids) conditions.push(inArray(vaultKeys.id, [...selector.ids]));
  if (selector.label !== undefined) conditions.push(eq(vaultKeys.label, selector.label));
  if (selector.labelPrefix !== undefined) {
    if (selector.labelPrefix === "") throw new Error("a key selector must not select by an empty label prefix");
    conditions.push(sql`instr(${vaultKeys.label}, ${selector.labelPrefix}) = 1`);
  }
  if (selector.vendor !== undefined) conditions.push(isForVendor(selector.vendor));
  if (conditions.length === 0 && !selector.all) throw new Error("a key selector must select by something");
  if (selector.issuedBy !== undefined) conditions.push(eq(vaultKeys.issuedBy, selector.issuedBy));
  return conditions;
}

/** Also of a key for several vendors: revoking what can call one of them must leave none of it out. */
function isForVendor(vendor: string): SQL {
  return sql`EXISTS (SELECT 1 FROM json_each(${vaultKeys.vendors}) WHERE value = ${vendor})`;
}

function record(row: KeyRow): VaultKeyRecord {
  return row;
}
