import type { Database } from "bun:sqlite";
import { DAY_MS, HOUR_MS } from "../spend-groups.ts";
import { ROW_SUMS, SAME_SUBJECT } from "./spend-sums.ts";

/** A temporary table, as PostgreSQL keeps `spend_sums`: hours, and of rows that retention has removed alone. */
export const PRUNED_SUMS = "temp.pruned_spend_sums";

const SUMS = ["calls", "refused", "settled_micros", "unresolved_micros"] as const;

/**
 * Fills it, once for a handle: what is in the sums, less what of it the rows that are there say themselves. The rows must
 * not change from then on.
 */
export function preparePrunedSums(database: Database): void {
  if (database.query("SELECT 1 FROM sqlite_temp_schema WHERE name = 'pruned_spend_sums'").get() !== null) return;
  database.run(`CREATE TEMP TABLE pruned_spend_sums (
    slot_ms INTEGER, slot INTEGER, subject INTEGER, operation INTEGER, ${SUMS.map((name) => `${name} INTEGER`).join(", ")},
    PRIMARY KEY (slot_ms, slot, subject, operation))`);
  database.run(`
    INSERT INTO pruned_spend_sums
    SELECT ${HOUR_MS}, slot, subject, operation, ${SUMS.map((name) => `sum(${name}) AS ${name}`).join(", ")}
    FROM (
      SELECT slot, subject, operation, ${SUMS.join(", ")} FROM spend_sums WHERE slot_ms = ${HOUR_MS}
      UNION ALL
      SELECT slot, subject, operation, ${SUMS.map((name) => `-${name}`).join(", ")} FROM (
        SELECT called_at - called_at % ${HOUR_MS} AS slot, who.id AS subject, what.id AS operation, ${ROW_SUMS}
        FROM audit_rows
        CROSS JOIN spend_operations AS what
          ON what.vendor = audit_rows.vendor AND what.method = audit_rows.method AND what.endpoint = audit_rows.endpoint
        CROSS JOIN spend_subjects AS who ON ${SAME_SUBJECT}
        WHERE seq < (SELECT next_seq FROM spend_state WHERE id = 1)
        GROUP BY 1, 2, 3
      )
    )
    GROUP BY slot, subject, operation
    HAVING ${SUMS.map((name) => `sum(${name}) <> 0`).join(" OR ")}`);
}

/** The sums of days, from those of hours. */
export function prepareDaySums(database: Database): void {
  database.transaction(() => {
    database.run(`DELETE FROM spend_sums WHERE slot_ms = ${DAY_MS}`);
    database.run(`
      INSERT INTO spend_sums (slot_ms, slot, subject, operation, ${SUMS.join(", ")})
      SELECT ${DAY_MS}, slot - slot % ${DAY_MS}, subject, operation, ${SUMS.map((name) => `sum(${name})`).join(", ")}
      FROM spend_sums WHERE slot_ms = ${HOUR_MS} GROUP BY 1, 2, 3, 4`);
  })();
}
