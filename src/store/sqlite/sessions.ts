import { and, desc, eq, gt, inArray, isNull, lte } from "drizzle-orm";
import type { BunSQLiteDatabase } from "drizzle-orm/bun-sqlite";
import type { EpochMs } from "../../core/window.ts";
import type { LivingSession, SessionRecord } from "../sessions.ts";
import { tokenRecord } from "./control.ts";
import { controlSessions, controlTokens } from "./schema.ts";

/** Browsers' sessions of the control plane. */
export class SqliteSessions {
  readonly #db: BunSQLiteDatabase;

  constructor(db: BunSQLiteDatabase) {
    this.#db = db;
  }

  insert(session: SessionRecord, perTokenMax: number): void {
    this.#db.transaction(
      (tx) => {
        tx.delete(controlSessions).where(lte(controlSessions.expiresAt, session.createdAt)).run();
        const own = tx
          .select({ idHash: controlSessions.idHash })
          .from(controlSessions)
          .where(eq(controlSessions.tokenId, session.tokenId))
          .orderBy(desc(controlSessions.createdAt))
          .all();
        const surplus = own.slice(perTokenMax - 1).map(({ idHash }) => idHash);
        if (surplus.length > 0) tx.delete(controlSessions).where(inArray(controlSessions.idHash, surplus)).run();
        tx.insert(controlSessions)
          .values({ ...session, idHash: Buffer.from(session.idHash) })
          .run();
      },
      { behavior: "immediate" },
    );
  }

  find(idHash: Uint8Array, now: EpochMs): LivingSession | undefined {
    const living = and(
      eq(controlSessions.idHash, Buffer.from(idHash)),
      gt(controlSessions.expiresAt, now),
      isNull(controlTokens.revokedAt),
    );
    const [row] = this.#db
      .select({ token: controlTokens, expiresAt: controlSessions.expiresAt })
      .from(controlSessions)
      .innerJoin(controlTokens, eq(controlTokens.id, controlSessions.tokenId))
      .where(living)
      .all();
    return row && { token: tokenRecord(row.token), expiresAt: row.expiresAt };
  }

  end(idHash: Uint8Array): boolean {
    const own = eq(controlSessions.idHash, Buffer.from(idHash));
    return this.#db.delete(controlSessions).where(own).returning().all().length > 0;
  }
}
