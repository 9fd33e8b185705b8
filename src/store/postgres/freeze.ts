import { sql } from "drizzle-orm";
import type { EpochMs } from "../../core/window.ts";
import type { Frozen } from "../backup-report.ts";
import { readFrozen } from "../frozen-mark.ts";
import { behindTheLedger, type Db } from "./db.ts";
import type { Timeline } from "./timeline.ts";

/**
 * Stops every key until `thaw`. A database that is frozen stays so with its earlier reason: what it does not know begins
 * at the earlier time.
 * @param why a clause that agents may read.
 */
export function freeze(db: Db, why: string, at: EpochMs): Promise<void> {
  return behindTheLedger(db, async (tx) => {
    await tx.execute(sql`
      UPDATE ledger_state
      SET frozen = json_build_object('since', ${at}::int8, 'why', ${why}::text, 'backup_seq', last_seq)::text
      WHERE id = 1 AND frozen IS NULL`);
  });
}

/** Lets keys spend again, on the time line of now; false where nothing was frozen. */
export function thaw(db: Db, timeline: Timeline): Promise<boolean> {
  return behindTheLedger(db, async (tx) => {
    const [state] = (await tx.execute(
      sql`SELECT ${sql.raw(timeline.frozen)} AS frozen FROM ledger_state WHERE id = 1`,
    )) as unknown as [{ frozen: string | null }];
    if (state.frozen === null) return false;
    await tx.execute(sql`UPDATE ledger_state SET frozen = NULL WHERE id = 1`);
    await tx.execute(sql.raw(timeline.confirm));
    return true;
  });
}

/** Why no key can spend; undefined where they can. */
export async function frozenSince(db: Db, timeline: Timeline): Promise<Frozen | undefined> {
  const [row] = (await db.execute(
    sql`SELECT ${sql.raw(timeline.frozen)} AS frozen FROM ledger_state WHERE id = 1`,
  )) as unknown as [{ frozen: string | null } | undefined];
  return row?.frozen ? readFrozen(row.frozen) : undefined;
}
