import type { Database } from "bun:sqlite";
import type { EpochMs } from "../../core/window.ts";
import { KNOWN_MS, PURGED_MAX } from "../ledger/life.ts";

/** Forgets a slice of what is no longer asked for. */
export function preparePurges(database: Database) {
  return {
    records: database.query<unknown, [EpochMs]>(
      `DELETE FROM recorded_calls WHERE (vault_key_id, slot) IN (
         SELECT vault_key_id, slot FROM recorded_calls WHERE expires_at <= ? LIMIT ${PURGED_MAX})`,
    ),
    objects: database.query<unknown, [EpochMs]>(
      `DELETE FROM vendor_objects WHERE name IN (
         SELECT name FROM vendor_objects WHERE touched_at <= ? - ${KNOWN_MS} AND held_by IS NULL LIMIT ${PURGED_MAX})`,
    ),
  };
}
