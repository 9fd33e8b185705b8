import type { SQL as Pool, TransactionSQL } from "bun";
import { idFloor } from "../../core/id.ts";
import type { EpochMs } from "../../core/window.ts";
import { CLOCK_SPREAD_MS } from "../audit-search.ts";
import { heldFilter } from "../held-calls.ts";
import { readOpenCalls } from "../ledger/open-call.ts";
import type { BatchRow } from "../ledger/statements.ts";
import type { SpendKey, SpendQuery, SpendReport } from "../spend.ts";
import { DAY_MS, type GroupRow, HOUR_MS, SpendGroups } from "../spend-groups.ts";
import { READ_ONCE } from "./alert-slices.ts";

/** What the rows of a group add up to: `src/audit/spent.ts` in the terms of the table. */
const ROW_SUMS = `
  count(*) FILTER (WHERE refers_to IS NULL) AS calls,
  count(*) FILTER (WHERE state = 'refused') AS refused,
  coalesce(sum(cost_micros) FILTER (WHERE state = 'settled'), 0)::int8 AS settled_micros,
  coalesce(sum(CASE
    WHEN state = 'unresolved' THEN exposure_micros
    WHEN refers_to IS NOT NULL AND cost_source <> 'reconciled' THEN -exposure_micros
    ELSE 0
  END), 0)::int8 AS unresolved_micros`;

const SLOT_SUMS = `sum(calls)::int8 AS calls, sum(refused)::int8 AS refused, sum(settled_micros)::int8 AS settled_micros,
  sum(unresolved_micros)::int8 AS unresolved_micros`;

const VALUES: Readonly<Record<SpendKey, (at: string) => string>> = {
  run: () => "agent_run_id",
  label: () => "agent_run_label",
  agent: () => "agent_name",
  vendor: () => "vendor",
  endpoint: () => "method || ' ' || endpoint",
  day: (at) => `(${at} - ${at} % ${DAY_MS})::text`,
  hour: (at) => `(${at} - ${at} % ${HOUR_MS})::text`,
};

/** Later than any call, and not too late for a date. */
const END_OF_TIME: EpochMs = 8_640_000_000_000_000;

/**
 * What was spent, as the rows say it at one moment: PostgreSQL adds up what it is asked for, beside the calls and on more
 * than one core. Only of rows that retention has removed sums are kept.
 */
export function sumSpend(pool: Pool, query: SpendQuery): Promise<SpendReport> {
  return pool.begin(READ_ONCE, async (tx) => {
    const [state] = (await tx.unsafe("SELECT pruned_to FROM spend_state WHERE id = 1")) as [{ pruned_to: bigint }];
    const { since, until } = query.filter;
    const prunedTo = Number(state.pruned_to);
    const from = since !== undefined && since < prunedTo ? since - (since % HOUR_MS) : (since ?? 0);
    const to = until !== undefined && until < prunedTo ? Math.ceil(until / HOUR_MS) * HOUR_MS : (until ?? END_OF_TIME);
    const groups = new SpendGroups();
    if (from < to) {
      for (const group of await readRows(tx, query, from, to)) groups.add(group);
      for (const group of await readSums(tx, query, from, Math.min(to, prunedTo))) groups.add(group);
      await addHeld(tx, query, from, to, groups);
    }
    return {
      groups: groups.all(),
      since: since === undefined ? undefined : from,
      until: until === undefined ? undefined : to,
    };
  });
}

async function readRows(tx: TransactionSQL, query: SpendQuery, from: EpochMs, to: EpochMs): Promise<GroupRow[]> {
  const { by, splitByVendor } = query;
  const wanted = conditionsOf(query);
  // Rows lie in the order of their time, give or take: a range is found by its ids, and the column decides exactly.
  const first = wanted.param(idFloor("call", Math.max(0, from - CLOCK_SPREAD_MS)));
  wanted.add(`called_at >= ${wanted.param(from)} AND called_at < ${wanted.param(to)}`);
  wanted.add(`seq >= coalesce((SELECT seq FROM audit_rows WHERE id >= ${first} ORDER BY id LIMIT 1), 0)`);
  const rows = await tx.unsafe(
    `SELECT ${VALUES[by]("called_at")} AS value, ${splitByVendor ? "vendor" : "NULL"} AS vendor, ${ROW_SUMS}
     FROM audit_rows WHERE ${wanted.text} GROUP BY 1, 2`,
    wanted.params,
  );
  return rows as GroupRow[];
}

async function readSums(tx: TransactionSQL, query: SpendQuery, from: EpochMs, to: EpochMs): Promise<GroupRow[]> {
  if (from >= to) return [];
  const { by, splitByVendor } = query;
  const wanted = conditionsOf(query);
  wanted.add(`slot >= ${wanted.param(from)} AND slot < ${wanted.param(to)}`);
  const rows = await tx.unsafe(
    `SELECT ${VALUES[by]("slot")} AS value, ${splitByVendor ? "vendor" : "NULL"} AS vendor, ${SLOT_SUMS}
     FROM spend_sums JOIN spend_subjects AS who ON who.id = subject JOIN spend_operations AS what ON what.id = operation
     WHERE slot_ms = ${HOUR_MS} AND ${wanted.text} GROUP BY 1, 2`,
    wanted.params,
  );
  return rows as GroupRow[];
}

async function addHeld(
  tx: TransactionSQL,
  query: SpendQuery,
  from: EpochMs,
  to: EpochMs,
  groups: SpendGroups,
): Promise<void> {
  const { issuedBy, ...filter } = query.filter;
  const selects = heldFilter({ ...filter, since: from, until: to });
  if (!selects) return;
  const batches = (await tx.unsafe("SELECT batch, owner, calls FROM open_batches")) as BatchRow[];
  for (const call of batches.flatMap(readOpenCalls).filter(selects)) {
    const { id, vaultKeyId } = call.facts;
    const counted = await tx.unsafe(
      `SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM audit_rows WHERE id = $1)
         AND ($3::text IS NULL OR EXISTS (SELECT 1 FROM vault_keys WHERE id = $2 AND issued_by = $3))`,
      [id, vaultKeyId, issuedBy ?? null],
    );
    if (counted.length > 0) groups.addHeld(query, call.facts, call.exposureMicros);
  }
}

class Conditions {
  readonly params: (string | number)[] = [];
  readonly #conditions: string[] = ["TRUE"];

  get text(): string {
    return this.#conditions.join(" AND ");
  }

  param(value: string | number): string {
    return `$${this.params.push(value)}`;
  }

  add(condition: string): void {
    this.#conditions.push(condition);
  }
}

/** On who called and what, which hold for a row and for the subject and operation of a sum. */
function conditionsOf({ filter }: SpendQuery): Conditions {
  const { run, labelContains, keyId, issuedBy, vendor } = filter;
  const wanted = new Conditions();
  if (run !== undefined) {
    const value = wanted.param(run);
    wanted.add(`(agent_run_label = ${value} OR agent_run_id = ${value})`);
  }
  if (keyId !== undefined) wanted.add(`vault_key_id = ${wanted.param(keyId)}`);
  if (labelContains) wanted.add(`strpos(agent_run_label, ${wanted.param(labelContains)}) > 0`);
  if (vendor !== undefined) wanted.add(`vendor = ${wanted.param(vendor)}`);
  if (issuedBy !== undefined) {
    const value = wanted.param(issuedBy);
    wanted.add(`EXISTS (SELECT 1 FROM vault_keys WHERE vault_keys.id = vault_key_id AND issued_by = ${value})`);
  }
  return wanted;
}

/** Within the transaction that removes these rows: their sums stay. */
export async function keepSums(tx: TransactionSQL, places: readonly bigint[]): Promise<void> {
  const seqs = JSON.stringify(places.map(Number));
  const some = "seq IN (SELECT value::int8 FROM json_array_elements_text($1::text::json))";
  await tx.unsafe(
    `INSERT INTO spend_subjects (vault_key_id, agent_run_id, agent_run_label, agent_name)
     SELECT DISTINCT vault_key_id, agent_run_id, agent_run_label, agent_name FROM audit_rows
     WHERE ${some} AND NOT EXISTS (SELECT 1 FROM spend_subjects AS who WHERE ${SAME_SUBJECT})`,
    [seqs],
  );
  await tx.unsafe(
    `INSERT INTO spend_operations (vendor, method, endpoint)
     SELECT DISTINCT vendor, method, endpoint FROM audit_rows WHERE ${some} ON CONFLICT DO NOTHING`,
    [seqs],
  );
  await tx.unsafe(
    `INSERT INTO spend_sums (slot_ms, slot, subject, operation, calls, refused, settled_micros, unresolved_micros)
     SELECT ${HOUR_MS}, called_at - called_at % ${HOUR_MS}, who.id, what.id, ${ROW_SUMS}
     FROM audit_rows
     JOIN spend_operations AS what
       ON what.vendor = audit_rows.vendor AND what.method = audit_rows.method AND what.endpoint = audit_rows.endpoint
     JOIN spend_subjects AS who ON ${SAME_SUBJECT}
     WHERE ${some}
     GROUP BY 1, 2, 3, 4
     ON CONFLICT (slot_ms, slot, subject, operation) DO UPDATE SET calls = spend_sums.calls + excluded.calls,
       refused = spend_sums.refused + excluded.refused,
       settled_micros = spend_sums.settled_micros + excluded.settled_micros,
       unresolved_micros = spend_sums.unresolved_micros + excluded.unresolved_micros`,
    [seqs],
  );
  await tx.unsafe(
    `UPDATE spend_state SET pruned_to =
       greatest(pruned_to, coalesce((SELECT max(called_at) + 1 FROM audit_rows WHERE ${some}), 0))`,
    [seqs],
  );
}

const SAME_SUBJECT = `who.vault_key_id = audit_rows.vault_key_id
  AND who.agent_run_id IS NOT DISTINCT FROM audit_rows.agent_run_id
  AND who.agent_name IS NOT DISTINCT FROM audit_rows.agent_name
  AND who.agent_run_label IS NOT DISTINCT FROM audit_rows.agent_run_label`;
