import type { Database } from "bun:sqlite";
import type { SpendProgress } from "../spend.ts";
import { DAY_MS, HOUR_MS } from "../spend-groups.ts";

/** What the rows of a group add up to: `src/audit/spent.ts` in the terms of the table. */
export const ROW_SUMS = `
  count(*) FILTER (WHERE refers_to IS NULL) AS calls,
  count(*) FILTER (WHERE state = 'refused') AS refused,
  coalesce(sum(cost_micros) FILTER (WHERE state = 'settled'), 0) AS settled_micros,
  sum(CASE
    WHEN state = 'unresolved' THEN exposure_micros
    WHEN refers_to IS NOT NULL AND cost_source <> 'reconciled' THEN -exposure_micros
    ELSE 0
  END) AS unresolved_micros`;

/** Up to which row everything is in the sums, and the first that may still be missing: no call before it is in flight. */
const STATE = `
  SELECT next_seq, coalesce((SELECT min(batch) FROM open_batches), last_seq + 1) AS final_to
  FROM spend_state JOIN ledger_state ON ledger_state.id = 1 WHERE spend_state.id = 1`;

interface StateRow {
  readonly next_seq: bigint;
  readonly final_to: bigint;
}

/** Keeps the sums of what was spent, beside calls and never with one. */
export class SpendSumsWriter {
  readonly #database: Database;
  readonly #state;
  readonly #end;
  readonly #move;
  readonly #range;

  constructor(database: Database) {
    this.#database = database;
    this.#state = database.query<StateRow, []>(STATE);
    this.#end = database.query<{ seq: bigint }, [{ from: bigint; to: bigint; rowsMax: number }]>(
      `SELECT coalesce(
         (SELECT seq FROM audit_rows WHERE seq >= $from AND seq < $to ORDER BY seq LIMIT 1 OFFSET $rowsMax), $to
       ) AS seq`,
    );
    this.#move = database.query<unknown, [bigint]>("UPDATE spend_state SET next_seq = ? WHERE id = 1");
    this.#range = prepareAdding(database, "seq >= $from AND seq < $to");
  }

  progress(): SpendProgress {
    return progressOf(this.#state.get()!);
  }

  /** The next rows in the order of `seq`. Whoever does it reads the place under the write lock: no row is added twice. */
  addUp(rowsMax: number): SpendProgress {
    // A look without the lock: mostly there is nothing to do.
    if (this.progress().left === 0) return this.progress();
    return this.#database.transaction(() => this.#addUp(rowsMax)).immediate();
  }

  #addUp(rowsMax: number): SpendProgress {
    const { next_seq: from, final_to } = this.#state.get()!;
    if (from >= final_to) return progressOf({ next_seq: from, final_to });
    const to = this.#end.get({ from, to: final_to, rowsMax })!.seq;
    for (const statement of this.#range) statement.run({ from, to });
    this.#move.run(to);
    return progressOf({ next_seq: to, final_to });
  }

  /**
   * Within the transaction that removes these rows: what is not in the sums yet is added, and their hours are noted as no
   * longer whole.
   */
  keep(places: readonly bigint[]): void {
    const seqs = JSON.stringify(places.map(Number));
    const some = "seq IN (SELECT value FROM json_each($seqs))";
    const missing = `${some} AND seq >= (SELECT next_seq FROM spend_state WHERE id = 1)`;
    for (const statement of prepareAdding(this.#database, missing)) statement.run({ seqs });
    this.#database
      .query(
        `UPDATE spend_state SET pruned_to = max(pruned_to, coalesce((SELECT max(called_at) + 1 FROM audit_rows WHERE ${some}), 0))`,
      )
      .run({ seqs });
  }
}

function progressOf({ next_seq, final_to }: StateRow): SpendProgress {
  const left = Number(final_to - next_seq);
  return { done: Math.max(0, Number(next_seq) - 1), left: Math.max(0, next_seq === 0n ? left - 1 : left) };
}

/** The statements that add the rows that fit `condition`, in their order. */
function prepareAdding(database: Database, condition: string) {
  return [
    // A name may be null, and a unique index would let null in twice: the write lock does not.
    `INSERT INTO spend_subjects (vault_key_id, agent_run_id, agent_run_label, agent_name)
     SELECT DISTINCT vault_key_id, agent_run_id, agent_run_label, agent_name FROM audit_rows
     WHERE ${condition} AND NOT EXISTS (SELECT 1 FROM spend_subjects AS who WHERE ${SAME_SUBJECT})`,
    `INSERT OR IGNORE INTO spend_operations (vendor, method, endpoint)
     SELECT DISTINCT vendor, method, endpoint FROM audit_rows WHERE ${condition}`,
    `INSERT INTO spend_sums (slot_ms, slot, subject, operation, calls, refused, settled_micros, unresolved_micros)
     SELECT width.slot_ms, hour - hour % width.slot_ms, subject, operation, sum(calls), sum(refused), sum(settled_micros),
       sum(unresolved_micros)
     FROM (
       SELECT called_at - called_at % ${HOUR_MS} AS hour, who.id AS subject, what.id AS operation, ${ROW_SUMS}
       FROM audit_rows
       CROSS JOIN spend_operations AS what
         ON what.vendor = audit_rows.vendor AND what.method = audit_rows.method AND what.endpoint = audit_rows.endpoint
       CROSS JOIN spend_subjects AS who ON ${SAME_SUBJECT}
       WHERE ${condition}
       GROUP BY 1, 2, 3
     ) AS hours
     CROSS JOIN (SELECT ${HOUR_MS} AS slot_ms UNION ALL SELECT ${DAY_MS}) AS width
     WHERE TRUE
     GROUP BY 1, 2, 3, 4
     ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, refused = refused + excluded.refused,
       settled_micros = settled_micros + excluded.settled_micros,
       unresolved_micros = unresolved_micros + excluded.unresolved_micros`,
  ].map((statement) => database.query<unknown, [Record<string, bigint | string>]>(statement));
}

/** Whether `who` made the call of a row. */
export const SAME_SUBJECT = `who.vault_key_id = audit_rows.vault_key_id AND who.agent_run_id IS audit_rows.agent_run_id
  AND who.agent_name IS audit_rows.agent_name AND who.agent_run_label IS audit_rows.agent_run_label`;
