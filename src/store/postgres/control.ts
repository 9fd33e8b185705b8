import { and, eq, getTableColumns, gt, isNotNull, isNull, lte, sql } from "drizzle-orm";
import type { HardStop } from "../../core/hard-stop.ts";
import type { EpochMs } from "../../core/window.ts";
import type { Brake } from "../../ledger/entry.ts";
import type { ControlRole } from "../../vault/control-token.ts";
import type { ControlTokenRecord, Lease, RecordedHardStop, RememberedAnswer, VendorRecord } from "../store.ts";
import { behindTheLedger, type Db, type Tx } from "./db.ts";
import {
  brakes,
  controlTokens,
  hardStops,
  leases,
  ledgerState,
  rememberedAnswers,
  unknownKeyCalls,
  vendors,
} from "./schema.ts";

const DAY_MS = 86_400_000;

/** What operators set, beside keys: vendors, brakes, hard stops, control tokens, remembered answers, leases. */
export class PostgresControl {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  async listVendors(): Promise<readonly VendorRecord[]> {
    const rows = await this.#db.select().from(vendors).orderBy(vendors.name);
    return rows.map((row) => ({ ...row, isPrivate: row.isPrivate === 1, sealedSecret: row.sealedSecret ?? undefined }));
  }

  putVendor(vendor: VendorRecord): Promise<boolean> {
    const row = {
      ...vendor,
      isPrivate: vendor.isPrivate ? 1 : 0,
      sealedSecret: vendor.sealedSecret ? Buffer.from(vendor.sealedSecret) : null,
    };
    return behindTheLedger(this.#db, async (tx) => {
      const written = await tx
        .insert(vendors)
        .values(row)
        .onConflictDoUpdate({ target: vendors.name, set: row, setWhere: eq(vendors.version, vendor.version - 1) })
        .returning();
      return written.length > 0;
    });
  }

  removeVendor(name: string, now: EpochMs): Promise<boolean> {
    const cleared = { sealedSecret: null, accountId: "", username: "", origin: null, isPrivate: 0, updatedAt: now };
    return behindTheLedger(this.#db, async (tx) => {
      const changed = await tx
        .update(vendors)
        .set({ ...cleared, version: sql`${vendors.version} + 1` })
        .where(and(eq(vendors.name, name), isNotNull(vendors.sealedSecret)))
        .returning();
      return changed.length > 0;
    });
  }

  engageBrake(brake: Brake): Promise<void> {
    return behindTheLedger(this.#db, async (tx) => {
      await tx.insert(brakes).values(brake);
    });
  }

  releaseBrake(vendor: string | null, labelPrefix: string | null, now: EpochMs): Promise<readonly Brake[]> {
    const same = and(
      isNull(brakes.releasedAt),
      sql`${brakes.vendor} IS NOT DISTINCT FROM ${vendor}`,
      sql`${brakes.labelPrefix} IS NOT DISTINCT FROM ${labelPrefix}`,
    );
    return behindTheLedger(this.#db, (tx) => tx.update(brakes).set({ releasedAt: now }).where(same).returning());
  }

  async listBrakes(): Promise<readonly Brake[]> {
    return this.#db.select().from(brakes).where(isNull(brakes.releasedAt)).orderBy(brakes.engagedAt);
  }

  recordHardStop({ keyIds, scope }: HardStop, now: EpochMs): Promise<void> {
    return behindTheLedger(this.#db, async (tx) => {
      await tx.delete(hardStops).where(lte(hardStops.stoppedAt, now - DAY_MS));
      const lastCallSeq = sql<number>`(SELECT ${ledgerState.lastSeq} FROM ${ledgerState})`;
      await tx.insert(hardStops).values({ stoppedAt: now, lastCallSeq, keyIds: [...keyIds], scope });
    });
  }

  async hardStopsSince(seq: number): Promise<readonly RecordedHardStop[]> {
    const { stoppedAt: _, ...columns } = getTableColumns(hardStops);
    return this.#db.select(columns).from(hardStops).where(gt(hardStops.seq, seq)).orderBy(hardStops.seq);
  }

  async insertToken(token: ControlTokenRecord): Promise<void> {
    const templates = token.templates && [...token.templates];
    await this.#db.insert(controlTokens).values({ ...token, tokenHash: Buffer.from(token.tokenHash), templates });
  }

  async findToken(tokenHash: Uint8Array): Promise<ControlTokenRecord | undefined> {
    const rows = await this.#db
      .select()
      .from(controlTokens)
      .where(eq(controlTokens.tokenHash, Buffer.from(tokenHash)));
    return rows.map(tokenRecord)[0];
  }

  async listTokens(): Promise<readonly ControlTokenRecord[]> {
    return (await this.#db.select().from(controlTokens).orderBy(controlTokens.createdAt)).map(tokenRecord);
  }

  async revokeToken(id: string, now: EpochMs): Promise<boolean> {
    const open = and(eq(controlTokens.id, id), isNull(controlTokens.revokedAt));
    return (await this.#db.update(controlTokens).set({ revokedAt: now }).where(open).returning()).length > 0;
  }

  remember(scope: string, key: string, answer: RememberedAnswer, now: EpochMs): Promise<RememberedAnswer | undefined> {
    const row = { scope, key, ...answer, sealedAnswer: Buffer.from(answer.sealedAnswer), createdAt: now };
    return this.#db.transaction(async (tx) => {
      await tx.delete(rememberedAnswers).where(lte(rememberedAnswers.createdAt, now - DAY_MS));
      const written = await tx.insert(rememberedAnswers).values(row).onConflictDoNothing().returning();
      return written.length > 0 ? undefined : recallIn(tx, scope, key, now);
    });
  }

  recall(scope: string, key: string, now: EpochMs): Promise<RememberedAnswer | undefined> {
    return recallIn(this.#db, scope, key, now);
  }

  async renewLease({ owner, until }: Lease): Promise<void> {
    await this.#db.insert(leases).values({ owner, until }).onConflictDoUpdate({ target: leases.owner, set: { until } });
  }

  async countUnknownKey(now: EpochMs, count: number): Promise<void> {
    await this.#db
      .insert(unknownKeyCalls)
      .values({ day: now - (now % DAY_MS), calls: count })
      .onConflictDoUpdate({ target: unknownKeyCalls.day, set: { calls: sql`${unknownKeyCalls.calls} + ${count}` } });
  }
}

async function recallIn(db: Db | Tx, scope: string, key: string, now: EpochMs): Promise<RememberedAnswer | undefined> {
  const same = and(eq(rememberedAnswers.scope, scope), eq(rememberedAnswers.key, key));
  const [row] = await db.select().from(rememberedAnswers).where(same);
  return row && row.createdAt > now - DAY_MS ? { bodyHash: row.bodyHash, sealedAnswer: row.sealedAnswer } : undefined;
}

export function tokenRecord(row: typeof controlTokens.$inferSelect): ControlTokenRecord {
  return { ...row, role: row.role as ControlRole };
}
