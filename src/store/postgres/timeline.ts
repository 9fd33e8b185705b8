import type { SQL as Pool } from "bun";

/**
 * The server's time line (postgresql.org/docs/current/continuous-archiving.html): the first eight digits of the name of the
 * file that it writes its log to. It changes when a stand-by is promoted and when an archive is restored.
 */
const CURRENT = "left(pg_walfile_name(pg_current_wal_lsn()), 8)";

/** As src/store/frozen-mark.ts reads it. */
const OTHER_TIMELINE = `(
  SELECT json_build_object('since', ledger_state.now, 'backup_seq', last_seq, 'why',
    'the database went on from time line ' || timeline || ' to ' || ${CURRENT} || ', and its last calls may be missing')::text
  FROM ledger_timeline WHERE timeline <> ${CURRENT})`;

/** What of the time line a server's version, and its operator's rights, let a store know. */
export interface Timeline {
  /** Why keys are frozen, as an expression over `ledger_state`; null where they are not. */
  readonly frozen: string;
  /** Notes in a transaction that the time line of now is the right one. */
  readonly confirm: string;
}

/** Where the server does not tell, a fail-over shows only by a ledger that went back. */
const UNKNOWN: Timeline = { frozen: "frozen", confirm: "SELECT 1" };

const KNOWN: Timeline = {
  frozen: `coalesce(frozen, ${OTHER_TIMELINE})`,
  confirm: `UPDATE ledger_timeline SET timeline = ${CURRENT} WHERE id = 1`,
};

/** Finds out whether the server tells its time line; on a new database it is noted. */
export async function readTimeline(pool: Pool): Promise<Timeline> {
  try {
    await pool.unsafe(`UPDATE ledger_timeline SET timeline = ${CURRENT} WHERE id = 1 AND timeline IS NULL`);
    return KNOWN;
  } catch (cause) {
    // undefined_function, insufficient_privilege, feature_not_supported
    const { errno } = cause as { readonly errno?: unknown };
    if (["42883", "42501", "0A000"].includes(String(errno))) return UNKNOWN;
    throw cause;
  }
}
