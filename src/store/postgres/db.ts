import type { SQL as Pool } from "bun";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/bun-sql";

export type Db = ReturnType<typeof openDb>;
export type Tx = Parameters<Parameters<Db["transaction"]>[0]>[0];

/** Several reads that belong together see one moment. */
export const SNAPSHOT = { isolationLevel: "repeatable read", accessMode: "read only" } as const;

export function openDb(pool: Pool) {
  return drizzle({ client: pool });
}

/**
 * A transaction that no decision of the ledger runs beside: what it changes is in force for every call whose decision
 * comes after it, in every replica, and none that came before is still on its way to the disk when it returns.
 */
export function behindTheLedger<Result>(db: Db, work: (tx: Tx) => Promise<Result>): Promise<Result> {
  return db.transaction(async (tx) => {
    await tx.execute(sql`SELECT 1 FROM ledger_state WHERE id = 1 FOR UPDATE`);
    return work(tx);
  });
}
