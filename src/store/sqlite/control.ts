import { and, eq, getTableColumns, gt, isNotNull, isNull, lte, sql } from "drizzle-orm";
import type { BunSQLiteDatabase } from "drizzle-orm/bun-sqlite";
import type { HardStop } from "../../core/hard-stop.ts";
import type { EpochMs } from "../../core/window.ts";
import type { Brake } from "../../ledger/entry.ts";
import type { ControlRole } from "../../vault/control-token.ts";
import type { ControlTokenRecord, Lease, RecordedHardStop, RememberedAnswer, VendorRecord } from "../store.ts";
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
export class SqliteControl {
  readonly #db: BunSQLiteDatabase;

  constructor(db: BunSQLiteDatabase) {
    this.#db = db;
  }

  listVendors(): readonly VendorRecord[] {
    const rows = this.#db.select().from(vendors).orderBy(vendors.name).all();
    return rows.map((row) => ({ ...row, isPrivate: row.isPrivate === 1, sealedSecret: row.sealedSecret ?? undefined }));
  }

  putVendor(vendor: VendorRecord): boolean {
    const row = {
      ...vendor,
      isPrivate: vendor.isPrivate ? 1 : 0,
      sealedSecret: vendor.sealedSecret ? Buffer.from(vendor.sealedSecret) : null,
    };
    const written = this.#db
      .insert(vendors)
      .values(row)
      .onConflictDoUpdate({ target: vendors.name, set: row, setWhere: eq(vendors.version, vendor.version - 1) })
      .returning()
      .all();
    return written.length > 0;
  }

  removeVendor(name: string, now: EpochMs): boolean {
    const cleared = { sealedSecret: null, accountId: "", username: "", origin: null, isPrivate: 0, updatedAt: now };
    const changed = this.#db
      .update(vendors)
      .set({ ...cleared, version: sql`${vendors.version} + 1` })
      .where(and(eq(vendors.name, name), isNotNull(vendors.sealedSecret)))
      .returning()
      .all();
    return changed.length > 0;
  }

  engageBrake(brake: Brake): void {
    this.#db.insert(brakes).values(brake).run();
  }

  releaseBrake(vendor: string | null, labelPrefix: string | null, now: EpochMs): readonly Brake[] {
    return this.#db
      .update(brakes)
      .set({ releasedAt: now })
      .where(
        and(
          isNull(brakes.releasedAt),
          sql`${brakes.vendor} IS ${vendor}`,
          sql`${brakes.labelPrefix} IS ${labelPrefix}`,
        ),
      )
      .returning()
      .all();
  }

  listBrakes(): readonly Brake[] {
    return this.#db.select().from(brakes).where(isNull(brakes.releasedAt)).orderBy(brakes.engagedAt).all();
  }

  recordHardStop({ keyIds, scope }: HardStop, now: EpochMs): void {
    this.#db.transaction(
      (tx) => {
        tx.delete(hardStops)
          .where(lte(hardStops.stoppedAt, now - DAY_MS))
          .run();
        const lastCallSeq = sql<number>`(SELECT ${ledgerState.lastSeq} FROM ${ledgerState})`;
        tx.insert(hardStops)
          .values({ seq: sql`NULL`, stoppedAt: now, lastCallSeq, keyIds: [...keyIds], scope })
          .run();
      },
      { behavior: "immediate" },
    );
  }

  hardStopsSince(seq: number): readonly RecordedHardStop[] {
    const { stoppedAt: _, ...columns } = getTableColumns(hardStops);
    return this.#db.select(columns).from(hardStops).where(gt(hardStops.seq, seq)).orderBy(hardStops.seq).all();
  }

  insertToken(token: ControlTokenRecord): void {
    this.#db
      .insert(controlTokens)
      .values({ ...token, tokenHash: Buffer.from(token.tokenHash), templates: token.templates && [...token.templates] })
      .run();
  }

  findToken(tokenHash: Uint8Array): ControlTokenRecord | undefined {
    const rows = this.#db
      .select()
      .from(controlTokens)
      .where(eq(controlTokens.tokenHash, Buffer.from(tokenHash)))
      .all();
    return rows.map(tokenRecord)[0];
  }

  listTokens(): readonly ControlTokenRecord[] {
    return this.#db.select().from(controlTokens).orderBy(controlTokens.createdAt).all().map(tokenRecord);
  }

  revokeToken(id: string, now: EpochMs): boolean {
    const open = and(eq(controlTokens.id, id), isNull(controlTokens.revokedAt));
    return this.#db.update(controlTokens).set({ revokedAt: now }).where(open).returning().all().length > 0;
  }

  remember(scope: string, key: string, answer: RememberedAnswer, now: EpochMs): RememberedAnswer | undefined {
    return this.#db.transaction(
      (tx) => {
        tx.delete(rememberedAnswers)
          .where(lte(rememberedAnswers.createdAt, now - DAY_MS))
          .run();
        const earlier = this.recall(scope, key, now);
        if (earlier) return earlier;
        const row = { scope, key, ...answer, sealedAnswer: Buffer.from(answer.sealedAnswer), createdAt: now };
        tx.insert(rememberedAnswers).values(row).run();
        return undefined;
      },
      { behavior: "immediate" },
    );
  }

  recall(scope: string, key: string, now: EpochMs): RememberedAnswer | undefined {
    const same = and(eq(rememberedAnswers.scope, scope), eq(rememberedAnswers.key, key));
    const row = this.#db.select().from(rememberedAnswers).where(same).all()[0];
    return row && row.createdAt > now - DAY_MS ? { bodyHash: row.bodyHash, sealedAnswer: row.sealedAnswer } : undefined;
  }

  renewLease({ owner, until }: Lease): void {
    this.#db.insert(leases).values({ owner, until }).onConflictDoUpdate({ target: leases.owner, set: { until } }).run();
  }

  countUnknownKey(now: EpochMs, count: number): void {
    this.#db
      .insert(unknownKeyCalls)
      .values({ day: now - (now % DAY_MS), calls: count })
      .onConflictDoUpdate({ target: unknownKeyCalls.day, set: { calls: sql`${unknownKeyCalls.calls} + ${count}` } })
      .run();
  }
}

/** The record of a row of control tokens. */
export function tokenRecord(row: typeof controlTokens.$inferSelect): ControlTokenRecord {
  return { ...row, role: row.role as ControlRole };
}
