import type { Database } from "bun:sqlite";
import { FINAL_COLUMNS } from "../ledger/final-rows.ts";
import type {
  CounterStatements,
  FinalRowStatements,
  LedgerStatements,
  ObjectStatements,
  OpenBatchStatements,
  ReconciliationStatements,
  RecordStatements,
  RollingStatements,
  StateStatements,
  ViewStatements,
} from "../ledger/statements.ts";

/** The ledger's statements for SQLite, prepared once. */
export function prepareLedger(database: Database): LedgerStatements {
  return {
    state: prepareState(database),
    view: prepareView(database),
    counters: prepareCounters(database),
    rolling: prepareRolling(database),
    records: prepareRecords(database),
    objects: prepareObjects(database),
    openBatches: prepareOpenBatches(database),
    finalRows: prepareFinalRows(database),
    reconciliations: prepareReconciliations(database),
  };
}

export function prepareState(database: Database): StateStatements {
  return {
    read: database.query(
      "SELECT now, last_seq, chain_count, chain_hash, chain_cost, frozen FROM ledger_state WHERE id = 1",
    ),
    write: database.query(
      "UPDATE ledger_state SET now = ?, last_seq = ?, chain_count = ?, chain_hash = ?, chain_cost = ? WHERE id = 1",
    ),
  };
}

function prepareView(database: Database): ViewStatements {
  return {
    key: database.query(
      "SELECT version, expires_at, revoked_at, revoke_reason, auto_revoked ->> 'rule' AS revoked_by FROM vault_keys WHERE id = ?",
    ),
    // One statement for both: each costs more than what it reads. Most times there is no brake to be put in order.
    circumstances: database.query(
      `SELECT CASE WHEN EXISTS (SELECT 1 FROM brakes WHERE released_at IS NULL) THEN (
         SELECT json_group_array(json_object('id', id, 'vendor', vendor, 'labelPrefix', label_prefix,
                  'reason', reason, 'engagedAt', engaged_at) ORDER BY engaged_at, id)
         FROM brakes WHERE released_at IS NULL
       ) ELSE '[]' END AS brakes, (SELECT json_group_object(name, version) FROM vendors) AS vendors`,
    ),
    finalRow: database.query(
      `SELECT id, called_at AS calledAt, agent_run_id AS agentRunId, agent_run_label AS agentRunLabel,
        agent_name AS agentName, vault_key_id AS vaultKeyId, vendor, method, endpoint, path,
        customer_scope_id AS customerScopeId, triggering_event_id AS triggeringEventId,
        idempotency_key_hash AS idempotencyKeyHash, metadata, state, verdict_rule AS rule,
        exposure_micros AS exposureMicros, cost_micros AS costMicros, charges
       FROM audit_rows WHERE id = ?`,
    ),
  };
}

function prepareCounters(database: Database): CounterStatements {
  return {
    read: database.query("SELECT used FROM counters WHERE budget_id = ? AND window_start = ?"),
    write: database.query(
      "INSERT INTO counters (budget_id, window_start, used) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET used = excluded.used",
    ),
  };
}

function prepareRolling(database: Database): RollingStatements {
  return {
    total: database.query("SELECT used, due_at FROM rolling_totals WHERE budget_id = ?"),
    due: database.query("SELECT budget_id, used FROM rolling_totals WHERE due_at <= ? ORDER BY due_at LIMIT ?"),
    write: database.query(
      `INSERT INTO rolling_totals (budget_id, used, due_at) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET used = excluded.used, due_at = excluded.due_at`,
    ),
    forget: database.query("DELETE FROM rolling_totals WHERE budget_id = ?"),
    oldest: database.query(
      "SELECT taken_at, amount FROM rolling_entries WHERE budget_id = ? ORDER BY taken_at LIMIT ?",
    ),
    sliceEnd: database.query(
      "SELECT taken_at FROM rolling_entries WHERE budget_id = ? ORDER BY taken_at LIMIT 1 OFFSET ?",
    ),
    aged: database.query(
      "SELECT coalesce(sum(amount), 0) AS amount FROM rolling_entries WHERE budget_id = ? AND taken_at <= ?",
    ),
    remove: database.query("DELETE FROM rolling_entries WHERE budget_id = ? AND taken_at <= ?"),
    addEntry: database.query(
      `INSERT INTO rolling_entries (budget_id, taken_at, amount) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET amount = amount + excluded.amount`,
    ),
    correctEntry: database.query("UPDATE rolling_entries SET amount = amount + ? WHERE budget_id = ? AND taken_at = ?"),
  };
}

function prepareRecords(database: Database): RecordStatements {
  return {
    read: database.query(
      `SELECT request_hash, state, call_id, held_by, vendor_key, status, sealed_answer, expires_at
       FROM recorded_calls WHERE vault_key_id = ? AND slot = ?`,
    ),
    write: database.query(
      `INSERT OR REPLACE INTO recorded_calls (vault_key_id, slot, request_hash, state, call_id, held_by, vendor_key,
        status, sealed_answer, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    delete: database.query("DELETE FROM recorded_calls WHERE vault_key_id = ? AND slot = ?"),
    loseAnswer: database.query(
      "UPDATE recorded_calls SET state = 'unknown' WHERE vault_key_id = ? AND call_id = ? AND state = 'in_flight'",
    ),
    freeHeldBy: database.query(
      "DELETE FROM recorded_calls WHERE vault_key_id = ? AND held_by = ? AND state <> 'answered'",
    ),
    forgetVendorKey: database.query(
      "UPDATE recorded_calls SET vendor_key = NULL WHERE vault_key_id = ? AND held_by = ?",
    ),
    lookUp: database.query(
      "SELECT 1 FROM recorded_calls WHERE vault_key_id = ? AND held_by = ? AND call_id <> ? AND state = 'in_flight'",
    ),
  };
}

function prepareObjects(database: Database): ObjectStatements {
  return {
    read: database.query("SELECT version, held_by, remembered FROM vendor_objects WHERE name = ?"),
    heldBy: database.query("SELECT name FROM vendor_objects WHERE held_by = ?"),
    write: database.query(
      `INSERT INTO vendor_objects (name, version, held_by, remembered, touched_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET version = excluded.version, held_by = excluded.held_by,
         remembered = excluded.remembered, touched_at = excluded.touched_at`,
    ),
  };
}

function prepareOpenBatches(database: Database): OpenBatchStatements {
  return {
    insert: database.query("INSERT INTO open_batches (batch, owner, calls) VALUES (?, ?, ?)"),
    // An id is in the list's text or it is not: ids are unguessable and have no character that JSON escapes.
    find: database.query(
      `SELECT batch, owner, calls FROM open_batches
       WHERE instr(calls, ?1) > 0 AND NOT EXISTS (SELECT 1 FROM audit_rows WHERE id = ?1)`,
    ),
    countOpen: database.query("SELECT count(*) AS open FROM calls_in_flight WHERE batch = ?"),
    emptied: database.query("SELECT batch FROM open_batches WHERE batch NOT IN (SELECT batch FROM calls_in_flight)"),
    delete: database.query("DELETE FROM open_batches WHERE batch = ?"),
    abandoned: database.query(
      "SELECT batch, owner, calls FROM open_batches WHERE owner NOT IN (SELECT owner FROM leases WHERE until > ?) ORDER BY batch",
    ),
  };
}

export function prepareFinalRows(database: Database): FinalRowStatements {
  const places = FINAL_COLUMNS.map(() => "?").join(", ");
  return {
    insert: database.query(
      `INSERT INTO audit_rows (${FINAL_COLUMNS.join(", ")}) VALUES (${places}) ON CONFLICT DO NOTHING`,
    ),
  };
}

function prepareReconciliations(database: Database): ReconciliationStatements {
  return {
    add: database.query(
      `INSERT INTO reconciliations (call_id, vendor, path, besides_micros, attempts, due_at) VALUES (?, ?, ?, ?, 0, ?)
       ON CONFLICT DO NOTHING`,
    ),
    remove: database.query("DELETE FROM reconciliations WHERE call_id = ?"),
  };
}
