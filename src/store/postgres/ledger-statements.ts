import { CHAIN_COLUMNS } from "../../audit/chain-columns.ts";
import { FINAL_COLUMNS } from "../ledger/final-rows.ts";
import type { LedgerStatements, StateRow } from "../ledger/statements.ts";
import type { Argument, Ask, PgStatement, Rehearsal } from "./rehearsal.ts";

/** The arguments of each, as `a.v`, and their place in the list, as `a.i`. */
const EACH = "jsonb_array_elements($1::text::jsonb) WITH ORDINALITY AS a (v, i)";

/** Time of the database in epoch milliseconds: the replicas' clocks may differ, and only this one counts. */
export const DATABASE_NOW = "(extract(epoch FROM clock_timestamp()) * 1000)::int8";

/** How the ledger's state is read. */
export interface StateStatementsOf {
  /** Its one argument is the time, or null: then it is the database's, and nobody's clock but that one counts. */
  readonly shown: PgStatement;
  /**
   * The same with the ledger's lock: of all transactions that hold, resolve, revoke or freeze one is under way at a time,
   * in whatever replica. It is the last thing that they release, so that whoever gets it sees all that was committed before.
   */
  readonly locked: PgStatement;
}

/** @param frozen an expression: why keys are frozen, as JSON, or null. */
export function stateStatements(frozen: string): StateStatementsOf {
  const sql = `SELECT a.i, greatest(now, coalesce((a.v ->> 0)::int8, ${DATABASE_NOW})) AS now, last_seq, chain_count,
      chain_hash, chain_cost, ${frozen} AS frozen
    FROM ledger_state, ${EACH} WHERE id = 1`;
  const reads = ["ledger_state"];
  return { shown: { sql, reads }, locked: { sql: `${sql} FOR UPDATE OF ledger_state`, reads } };
}

export const KEY: PgStatement = {
  sql: `SELECT a.i, version, expires_at, revoked_at, revoke_reason, auto_revoked::json ->> 'rule' AS revoked_by
        FROM ${EACH} JOIN vault_keys ON id = a.v ->> 0`,
  reads: ["vault_keys"],
};

export const CIRCUMSTANCES: PgStatement = {
  sql: `SELECT 1 AS i, (
          SELECT coalesce(json_agg(json_build_object('id', id, 'vendor', vendor, 'labelPrefix', label_prefix,
                   'reason', reason, 'engagedAt', engaged_at) ORDER BY engaged_at, id), '[]')::text
          FROM brakes WHERE released_at IS NULL
        ) AS brakes, (SELECT coalesce(json_object_agg(name, version), '{}')::text FROM vendors) AS vendors
        WHERE $1::text IS NOT NULL`,
  reads: ["brakes", "vendors"],
};

const FINAL_ROW: PgStatement = {
  sql: `SELECT a.i, id, called_at AS "calledAt", agent_run_id AS "agentRunId", agent_run_label AS "agentRunLabel",
          agent_name AS "agentName", vault_key_id AS "vaultKeyId", vendor, method, endpoint, path,
          customer_scope_id AS "customerScopeId", triggering_event_id AS "triggeringEventId",
          idempotency_key_hash AS "idempotencyKeyHash", metadata, state, verdict_rule AS rule,
          exposure_micros AS "exposureMicros", cost_micros AS "costMicros", charges
        FROM ${EACH} JOIN audit_rows ON id = a.v ->> 0`,
  reads: ["audit_rows"],
};

/** An id is in the list's text or it is not: ids are unguessable and have no character that JSON escapes. */
export const OPEN_BATCH: PgStatement = {
  sql: `SELECT a.i, batch, owner, calls FROM ${EACH} JOIN open_batches ON strpos(calls, a.v ->> 0) > 0
        WHERE NOT EXISTS (SELECT 1 FROM audit_rows WHERE id = a.v ->> 0)`,
  reads: ["open_batches", "audit_rows"],
};

export const COUNTER: PgStatement = {
  sql: `SELECT a.i, used FROM ${EACH} JOIN counters ON budget_id = a.v ->> 0 AND window_start = (a.v ->> 1)::int8`,
  reads: ["counters"],
};

export const ROLLING_TOTAL: PgStatement = {
  sql: `SELECT a.i, used, due_at FROM ${EACH} JOIN rolling_totals ON budget_id = a.v ->> 0`,
  reads: ["rolling_totals"],
};

export const RECORD: PgStatement = {
  sql: `SELECT a.i, request_hash, recorded_calls.state, call_id, held_by, vendor_key, status, sealed_answer, expires_at
        FROM ${EACH} JOIN recorded_calls ON vault_key_id = a.v ->> 0 AND slot = a.v ->> 1`,
  reads: ["recorded_calls"],
};

export const OBJECT: PgStatement = {
  sql: `SELECT a.i, version, held_by, remembered FROM ${EACH} JOIN vendor_objects ON name = a.v ->> 0`,
  reads: ["vendor_objects"],
};

/**
 * The ledger's statements, each as `rehearsal` runs it.
 * @param state how the ledger's state is read.
 */
export function rehearsedStatements(rehearsal: Rehearsal, state: () => Ask): LedgerStatements {
  const run = (writes: string, sql: string, sqlOfNew?: string) =>
    rehearsal.statement<never, never>({ sql, writes, ...(sqlOfNew === undefined ? {} : { sqlOfNew }) });
  const read = (reads: readonly string[], sql: string) => rehearsal.statement<never, never>({ sql, reads });
  const known = (statement: PgStatement) => rehearsal.statement<never, never>(statement);
  return {
    state: {
      read: asked(rehearsal, state),
      write: run(
        "ledger_state",
        `UPDATE ledger_state SET now = (a.v ->> 0)::int8, last_seq = (a.v ->> 1)::int8, chain_count = (a.v ->> 2)::int8,
           chain_hash = decode(a.v ->> 3, 'hex'), chain_cost = a.v ->> 4 FROM ${EACH} WHERE id = 1`,
      ),
    },
    view: { key: known(KEY), circumstances: known(CIRCUMSTANCES), finalRow: known(FINAL_ROW) },
    counters: {
      read: known(COUNTER),
      write: run(
        "counters",
        `INSERT INTO counters (budget_id, window_start, used)
         SELECT a.v ->> 0, (a.v ->> 1)::int8, (a.v ->> 2)::int8 FROM ${EACH}
         ON CONFLICT (budget_id, window_start) DO UPDATE SET used = excluded.used`,
      ),
    },
    rolling: rollingStatements(run, read, known),
    records: recordStatements(run, read, known),
    objects: {
      read: known(OBJECT),
      heldBy: read(["vendor_objects"], `SELECT a.i, name FROM ${EACH} JOIN vendor_objects ON held_by = a.v ->> 0`),
      write: run(
        "vendor_objects",
        `INSERT INTO vendor_objects (name, version, held_by, remembered, touched_at)
         SELECT a.v ->> 0, (a.v ->> 1)::int8, a.v ->> 2, a.v ->> 3, (a.v ->> 4)::int8 FROM ${EACH}
         ON CONFLICT (name) DO UPDATE SET version = excluded.version, held_by = excluded.held_by,
           remembered = excluded.remembered, touched_at = excluded.touched_at`,
      ),
    },
    openBatches: openBatchStatements(run, read, known),
    finalRows: { insert: run("audit_rows", `${FINAL_INSERT} ON CONFLICT DO NOTHING`, FINAL_INSERT) },
    reconciliations: {
      add: run(
        "reconciliations",
        `INSERT INTO reconciliations (call_id, vendor, path, besides_micros, attempts, due_at)
         SELECT a.v ->> 0, a.v ->> 1, a.v ->> 2, (a.v ->> 3)::int8, 0, (a.v ->> 4)::int8 FROM ${EACH}
         ON CONFLICT DO NOTHING`,
      ),
      remove: run("reconciliations", `DELETE FROM reconciliations USING ${EACH} WHERE call_id = a.v ->> 0`),
    },
  };
}

/** A statement whose arguments are not the step's business. */
function asked(rehearsal: Rehearsal, ask: () => Ask): LedgerStatements["state"]["read"] {
  const bound = () => rehearsal.statement<StateRow, Argument[]>(ask().statement);
  return {
    get: () => bound().get(...ask().args),
    all: () => bound().all(...ask().args),
    run: () => bound().run(...ask().args),
  };
}

type Run = (writes: string, sql: string) => ReturnType<typeof Rehearsal.prototype.statement<never, never>>;
type Read = (reads: readonly string[], sql: string) => ReturnType<typeof Rehearsal.prototype.statement<never, never>>;
type Known = (statement: PgStatement) => ReturnType<typeof Rehearsal.prototype.statement<never, never>>;

function rollingStatements(run: Run, read: Read, known: Known): LedgerStatements["rolling"] {
  const entries = ["rolling_entries"];
  return {
    total: known(ROLLING_TOTAL),
    due: read(
      ["rolling_totals"],
      `SELECT a.i, due.* FROM ${EACH} CROSS JOIN LATERAL (SELECT budget_id, used FROM rolling_totals
         WHERE due_at <= (a.v ->> 0)::int8 ORDER BY due_at LIMIT (a.v ->> 1)::int) AS due ORDER BY a.i`,
    ),
    write: run(
      "rolling_totals",
      `INSERT INTO rolling_totals (budget_id, used, due_at)
       SELECT a.v ->> 0, (a.v ->> 1)::int8, (a.v ->> 2)::int8 FROM ${EACH}
       ON CONFLICT (budget_id) DO UPDATE SET used = excluded.used, due_at = excluded.due_at`,
    ),
    forget: run("rolling_totals", `DELETE FROM rolling_totals USING ${EACH} WHERE budget_id = a.v ->> 0`),
    oldest: read(
      entries,
      `SELECT a.i, e.* FROM ${EACH} CROSS JOIN LATERAL (SELECT taken_at, amount FROM rolling_entries
         WHERE budget_id = a.v ->> 0 ORDER BY taken_at LIMIT (a.v ->> 1)::int) AS e ORDER BY a.i, taken_at`,
    ),
    sliceEnd: read(
      entries,
      `SELECT a.i, e.* FROM ${EACH} CROSS JOIN LATERAL (SELECT taken_at FROM rolling_entries
         WHERE budget_id = a.v ->> 0 ORDER BY taken_at LIMIT 1 OFFSET (a.v ->> 1)::int) AS e`,
    ),
    aged: read(
      entries,
      `SELECT a.i, (SELECT coalesce(sum(amount), 0)::int8 FROM rolling_entries
         WHERE budget_id = a.v ->> 0 AND taken_at <= (a.v ->> 1)::int8) AS amount FROM ${EACH}`,
    ),
    remove: run(
      "rolling_entries",
      `DELETE FROM rolling_entries USING ${EACH} WHERE budget_id = a.v ->> 0 AND taken_at <= (a.v ->> 1)::int8`,
    ),
    addEntry: run(
      "rolling_entries",
      `INSERT INTO rolling_entries (budget_id, taken_at, amount)
       SELECT a.v ->> 0, (a.v ->> 1)::int8, (a.v ->> 2)::int8 FROM ${EACH}
       ON CONFLICT (budget_id, taken_at) DO UPDATE SET amount = rolling_entries.amount + excluded.amount`,
    ),
    correctEntry: run(
      "rolling_entries",
      `UPDATE rolling_entries SET amount = amount + (a.v ->> 0)::int8 FROM ${EACH}
       WHERE budget_id = a.v ->> 1 AND taken_at = (a.v ->> 2)::int8`,
    ),
  };
}

function recordStatements(run: Run, read: Read, known: Known): LedgerStatements["records"] {
  const table = "recorded_calls";
  return {
    read: known(RECORD),
    write: run(
      table,
      `INSERT INTO recorded_calls (vault_key_id, slot, request_hash, state, call_id, held_by, vendor_key, status,
         sealed_answer, expires_at)
       SELECT a.v ->> 0, a.v ->> 1, a.v ->> 2, a.v ->> 3, a.v ->> 4, a.v ->> 5, a.v ->> 6, (a.v ->> 7)::int8,
         decode(a.v ->> 8, 'hex'), (a.v ->> 9)::int8 FROM ${EACH}
       ON CONFLICT (vault_key_id, slot) DO UPDATE SET request_hash = excluded.request_hash, state = excluded.state,
         call_id = excluded.call_id, held_by = excluded.held_by, vendor_key = excluded.vendor_key,
         status = excluded.status, sealed_answer = excluded.sealed_answer, expires_at = excluded.expires_at`,
    ),
    delete: run(table, `DELETE FROM recorded_calls USING ${EACH} WHERE vault_key_id = a.v ->> 0 AND slot = a.v ->> 1`),
    loseAnswer: run(
      table,
      `UPDATE recorded_calls SET state = 'unknown' FROM ${EACH}
       WHERE vault_key_id = a.v ->> 0 AND call_id = a.v ->> 1 AND state = 'in_flight'`,
    ),
    freeHeldBy: run(
      table,
      `DELETE FROM recorded_calls USING ${EACH}
       WHERE vault_key_id = a.v ->> 0 AND held_by = a.v ->> 1 AND state <> 'answered'`,
    ),
    forgetVendorKey: run(
      table,
      `UPDATE recorded_calls SET vendor_key = NULL FROM ${EACH} WHERE vault_key_id = a.v ->> 0 AND held_by = a.v ->> 1`,
    ),
    lookUp: read(
      [table],
      `SELECT a.i FROM ${EACH} JOIN recorded_calls
         ON vault_key_id = a.v ->> 0 AND held_by = a.v ->> 1 AND call_id <> a.v ->> 2 AND state = 'in_flight'`,
    ),
  };
}

function openBatchStatements(run: Run, read: Read, known: Known): LedgerStatements["openBatches"] {
  const tables = ["open_batches", "audit_rows"];
  return {
    insert: run(
      "open_batches",
      `INSERT INTO open_batches (batch, owner, calls) SELECT (a.v ->> 0)::int8, a.v ->> 1, a.v ->> 2 FROM ${EACH}`,
    ),
    find: known(OPEN_BATCH),
    countOpen: read(
      tables,
      `SELECT a.i, (SELECT count(*) FROM calls_in_flight WHERE batch = (a.v ->> 0)::int8) AS open FROM ${EACH}`,
    ),
    emptied: read(
      tables,
      `SELECT a.i, batch FROM ${EACH} CROSS JOIN open_batches
       WHERE NOT EXISTS (SELECT 1 FROM calls_in_flight WHERE calls_in_flight.batch = open_batches.batch)`,
    ),
    delete: run("open_batches", `DELETE FROM open_batches USING ${EACH} WHERE batch = (a.v ->> 0)::int8`),
    abandoned: read(
      [...tables, "leases"],
      `SELECT a.i, batch, owner, calls FROM ${EACH} CROSS JOIN open_batches
       WHERE owner NOT IN (SELECT owner FROM leases WHERE until > (a.v ->> 0)::int8) ORDER BY batch`,
    ),
  };
}

/** As the columns of the table are declared; the chain's own list says of what kind each is. */
function columnOf(name: string, place: number): string {
  if (name === "prev_hash" || name === "hash") return `decode(a.v ->> ${place}, 'hex')`;
  const kind = CHAIN_COLUMNS.find(([column]) => column === name)![1];
  const cast = { integer: "::int8", micros: "::int8", real: "::float8", text: "" }[kind];
  return `(a.v ->> ${place})${cast}`;
}

const FINAL_INSERT = `INSERT INTO audit_rows (${FINAL_COLUMNS.join(", ")})
  SELECT ${FINAL_COLUMNS.map(columnOf).join(", ")} FROM ${EACH} ORDER BY a.i`;
