import { and, desc, eq, gt, inArray, isNull, lt, type SQL, sql } from "drizzle-orm";
import type { EpochMs } from "../../core/window.ts";
import type { KeySpend } from "../key-spend.ts";
import type { KeyChange, KeyFilter, KeyInserted, KeySelector, VaultKeyRecord } from "../store.ts";
import { isUnresolved } from "./audit.ts";
import { behindTheLedger, type Db, SNAPSHOT, type Tx } from "./db.ts";
import { rollingUses } from "./rolling-uses.ts";
import { auditRows, callsInFlight, counters, vaultKeys } from "./schema.ts";

type KeyRow = typeof vaultKeys.$inferSelect;

/** Vault keys on PostgreSQL. What changes a key waits for the ledger's lock, so that it holds from the next decision on. */
export class PostgresKeys {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  async findByHash(tokenHash: Uint8Array): Promise<VaultKeyRecord | undefined> {
    const rows = await this.#db
      .select()
      .from(vaultKeys)
      .where(eq(vaultKeys.tokenHash, Buffer.from(tokenHash)));
    return rows.map(record)[0];
  }

  async get(id: string): Promise<VaultKeyRecord | undefined> {
    return (await this.#db.select().from(vaultKeys).where(eq(vaultKeys.id, id))).map(record)[0];
  }

  list(filter: KeyFilter): Promise<readonly VaultKeyRecord[]> {
    return listIn(this.#db, filter);
  }

  /** All of them in one transaction, in their order. */
  insertAll(
    all: readonly { readonly key: VaultKeyRecord; readonly uniqueLabel: boolean }[],
  ): Promise<readonly KeyInserted[]> {
    return this.#db.transaction(async (tx) => {
      const results: KeyInserted[] = [];
      for (const { key, uniqueLabel } of all) results.push(await insert(tx, key, uniqueLabel));
      return results;
    });
  }

  update(id: string, change: KeyChange): Promise<VaultKeyRecord | undefined> {
    const same = and(eq(vaultKeys.id, id), eq(vaultKeys.version, change.fromVersion));
    return behindTheLedger(this.#db, async (tx) => {
      const changed = await tx
        .update(vaultKeys)
        .set({ policy: change.policy, expiresAt: change.expiresAt, version: change.fromVersion + 1 })
        .where(same)
        .returning();
      return changed.map(record)[0];
    });
  }

  revoke(selector: KeySelector, reason: string | null, now: EpochMs): Promise<readonly VaultKeyRecord[]> {
    const conditions = selectorConditions(selector);
    return behindTheLedger(this.#db, async (tx) => {
      const revoked = await tx
        .update(vaultKeys)
        .set({ revokedAt: now, revokeReason: reason })
        .where(and(isNull(vaultKeys.revokedAt), ...conditions))
        .returning();
      return revoked.map(record);
    });
  }

  /** @param now as `Store.keySpend` has it. */
  spend(keyId: string, now: EpochMs = 0): Promise<KeySpend> {
    return this.#db.transaction((tx) => spendIn(tx, keyId, now), SNAPSHOT);
  }
}

async function listIn(db: Db | Tx, filter: KeyFilter): Promise<readonly VaultKeyRecord[]> {
  const conditions: SQL[] = [];
  if (filter.label !== undefined) conditions.push(eq(vaultKeys.label, filter.label));
  if (filter.labelContains) conditions.push(sql`strpos(${vaultKeys.label}, ${filter.labelContains}) > 0`);
  if (filter.vendor !== undefined) conditions.push(isForVendor(filter.vendor));
  if (filter.issuedBy !== undefined) conditions.push(eq(vaultKeys.issuedBy, filter.issuedBy));
  if (filter.before !== undefined) conditions.push(lt(vaultKeys.id, filter.before));
  if (filter.activeAt !== undefined) {
    conditions.push(isNull(vaultKeys.revokedAt), gt(vaultKeys.expiresAt, filter.activeAt));
  }
  const query = db
    .select()
    .from(vaultKeys)
    .where(and(...conditions));
  return (await query.orderBy(desc(vaultKeys.id)).limit(filter.limit)).map(record);
}

/** Of two that want the same label for themselves one is first, in whatever replica. */
const LABEL_LOCKS = 7_878_002;

async function insert(tx: Tx, key: VaultKeyRecord, uniqueLabel: boolean): Promise<KeyInserted> {
  if (uniqueLabel && key.label !== null) {
    await tx.execute(sql`SELECT pg_advisory_xact_lock(${LABEL_LOCKS}, hashtext(${key.label}))`);
    const [active] = await listIn(tx, { label: key.label, activeAt: key.createdAt, limit: 1 });
    if (active) return { inserted: false, activeKeyId: active.id };
  }
  await tx.insert(vaultKeys).values({ ...key, tokenHash: Buffer.from(key.tokenHash), metadata: { ...key.metadata } });
  return { inserted: true };
}

async function spendIn(tx: Tx, keyId: string, now: EpochMs): Promise<KeySpend> {
  const prefix = `key:${keyId}:`;
  const rows = await tx
    .select()
    .from(counters)
    .where(and(sql`${counters.budgetId} >= ${prefix}`, sql`${counters.budgetId} < ${`key:${keyId};`}`))
    .orderBy(counters.budgetId, counters.windowStart);
  const [final] = await tx
    .select({
      calls: sql<bigint>`count(*) FILTER (WHERE ${auditRows.refersTo} IS NULL)`,
      refused: sql<bigint>`count(*) FILTER (WHERE ${auditRows.state} = 'refused')`,
      settled: sql<bigint>`coalesce(sum(${auditRows.costMicros}) FILTER (WHERE ${auditRows.state} = 'settled'), 0)::int8`,
      // Never over refused calls: an agent can ask for a trillion dollars until the sum does not fit 64 bits.
      unresolved: sql<bigint>`coalesce(sum(${auditRows.exposureMicros}) FILTER (WHERE ${isUnresolved}), 0)::int8`,
    })
    .from(auditRows)
    .where(eq(auditRows.vaultKeyId, keyId));
  const [open] = await tx
    .select({
      calls: sql<bigint>`count(*)`,
      held: sql<bigint>`coalesce(sum(${callsInFlight.exposureMicros}), 0)::int8`,
    })
    .from(callsInFlight)
    .where(eq(callsInFlight.vaultKeyId, keyId));
  const inWindows = rows.map(({ budgetId, windowStart, used }) => {
    return { name: budgetId.slice(prefix.length), windowStart, used };
  });
  return {
    counters: [...inWindows, ...(await rollingUses(tx, keyId, now))],
    settledMicros: final!.settled,
    heldMicros: open!.held,
    unresolvedMicros: final!.unresolved,
    calls: Number(final!.calls + open!.calls),
    refused: Number(final!.refused),
  };
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
    conditions.push(sql`starts_with(${vaultKeys.label}, ${selector.labelPrefix})`);
  }
  if (selector.vendor !== undefined) conditions.push(isForVendor(selector.vendor));
  if (conditions.length === 0 && !selector.all) throw new Error("a key selector must select by something");
  if (selector.issuedBy !== undefined) conditions.push(eq(vaultKeys.issuedBy, selector.issuedBy));
  return conditions;
}

/** Also of a key for several vendors: revoking what can call one of them must leave none of it out. */
function isForVendor(vendor: string): SQL {
  return sql`${vaultKeys.vendors}::jsonb ? ${vendor}`;
}

function record(row: KeyRow): VaultKeyRecord {
  return row;
}
