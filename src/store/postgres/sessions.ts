import { and, desc, eq, gt, inArray, isNull, lte } from "drizzle-orm";
import type { EpochMs } from "../../core/window.ts";
import type { LivingSession, SessionRecord } from "../sessions.ts";
import { tokenRecord } from "./control.ts";
import type { Db } from "./db.ts";
import { controlSessions, controlTokens } from "./schema.ts";

/** Browsers' sessions of the control plane. */
export class PostgresSessions {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  insert(session: SessionRecord, perTokenMax: number): Promise<void> {
    return this.#db.transaction(async (tx) => {
      // Of two that sign in with one token at the same moment the second counts the first.
      await tx.select().from(controlTokens).where(eq(controlTokens.id, session.tokenId)).for("update");
      await tx.delete(controlSessions).where(lte(controlSessions.expiresAt, session.createdAt));
      const own = await tx
        .select({ idHash: controlSessions.idHash })
        .from(controlSessions)
        .where(eq(controlSessions.tokenId, session.tokenId))
        .orderBy(desc(controlSessions.createdAt));
      const surplus = own.slice(perTokenMax - 1).map(({ idHash }) => idHash);
      if (surplus.length > 0) await tx.delete(controlSessions).where(inArray(controlSessions.idHash, surplus));
      await tx.insert(controlSessions).values({ ...session, idHash: Buffer.from(session.idHash) });
    });
  }

  async find(idHash: Uint8Array, now: EpochMs): Promise<LivingSession | undefined> {
    const living = and(
      eq(controlSessions.idHash, Buffer.from(idHash)),
      gt(controlSessions.expiresAt, now),
      isNull(controlTokens.revokedAt),
    );
    const [row] = await this.#db
      .select({ token: controlTokens, expiresAt: controlSessions.expiresAt })
      .from(controlSessions)
      .innerJoin(controlTokens, eq(controlTokens.id, controlSessions.tokenId))
      .where(living);
    return row && { token: tokenRecord(row.token), expiresAt: row.expiresAt };
  }

  async end(idHash: Uint8Array): Promise<boolean> {
    const own = eq(controlSessions.idHash, Buffer.from(idHash));
    return (await this.#db.delete(controlSessions).where(own).returning()).length > 0;
  }
}
