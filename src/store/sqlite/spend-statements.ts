import type { SpendKey, SpendQuery } from "../spend.ts";
import { DAY_MS, HOUR_MS } from "../spend-groups.ts";
import { ROW_SUMS } from "./spend-sums.ts";

/** What the statements of one question have in common: `audit_rows` and the tables of sums name their columns alike. */
const VALUES: Readonly<Record<SpendKey, (at: string) => string>> = {
  run: () => "agent_run_id",
  label: () => "agent_run_label",
  agent: () => "agent_name",
  vendor: () => "vendor",
  endpoint: () => "method || ' ' || endpoint",
  day: (at) => `CAST(${at} - ${at} % ${DAY_MS} AS TEXT)`,
  hour: (at) => `CAST(${at} - ${at} % ${HOUR_MS} AS TEXT)`,
};

const BY_SUBJECT: ReadonlySet<SpendKey> = new Set(["run", "label", "agent"]);
const BY_OPERATION: ReadonlySet<SpendKey> = new Set(["vendor", "endpoint"]);

export type Parameters = Record<string, string | number | bigint>;

/** Conditions on who called, which hold for a row and for the subject of a sum. */
function subjectConditions({ filter }: SpendQuery): readonly string[] {
  const { run, labelContains, keyId, issuedBy } = filter;
  const conditions: string[] = [];
  if (run !== undefined) conditions.push("(agent_run_label = $run OR agent_run_id = $run)");
  if (keyId !== undefined) conditions.push("vault_key_id = $keyId");
  if (labelContains) conditions.push("instr(agent_run_label, $labelContains) > 0");
  if (issuedBy !== undefined) {
    conditions.push("EXISTS (SELECT 1 FROM vault_keys WHERE vault_keys.id = vault_key_id AND issued_by = $issuedBy)");
  }
  return conditions;
}

/** The values of the filter's conditions. */
export function filterParameters({ filter }: SpendQuery): Parameters {
  const { run, labelContains, keyId, issuedBy, vendor } = filter;
  const given = { run, keyId, issuedBy, vendor, labelContains: labelContains || undefined };
  return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/**
 * The sums of one slot (`$slotMs`, `$slot`) and of the subjects from `$first` until before `$behind`, by group. They are added
 * up by number first, in the order of the table, so that names are looked up once a group and nothing is sorted.
 */
export function sumsStatement(query: SpendQuery): string {
  const { by, splitByVendor, filter } = query;
  const ofSubjects = BY_SUBJECT.has(by);
  const ofOperations = BY_OPERATION.has(by) || splitByVendor;
  const conditions = ["slot_ms = $slotMs", "slot = $slot", "subject >= $first", "subject < $behind"];
  const joins: string[] = [];
  const subject = subjectConditions(query);
  // One run or key is looked up; any wider choice is made sum by sum.
  const isNarrow = filter.run !== undefined || filter.keyId !== undefined;
  if (isNarrow) conditions.push(`subject IN (SELECT id FROM spend_subjects WHERE ${subject.join(" AND ")})`);
  else if (subject.length > 0)
    joins.push(`JOIN spend_subjects AS chosen ON chosen.id = subject AND ${subject.join(" AND ")}`);
  if (filter.vendor !== undefined) {
    conditions.push("operation IN (SELECT id FROM spend_operations WHERE vendor = $vendor)");
  }
  const numbers = ["slot", ...(ofSubjects ? ["subject"] : []), ...(ofOperations ? ["operation"] : [])].join(", ");
  return `
    SELECT ${VALUES[by]("slot")} AS value, ${splitByVendor ? "vendor" : "NULL"} AS vendor,
      calls, refused, settled_micros, unresolved_micros
    FROM (
      SELECT ${numbers}, sum(calls) AS calls, sum(refused) AS refused, sum(settled_micros) AS settled_micros,
        sum(unresolved_micros) AS unresolved_micros
      FROM spend_sums ${joins.join(" ")}
      WHERE ${conditions.join(" AND ")}
      GROUP BY ${numbers}
    ) AS sums
    ${ofSubjects ? "JOIN spend_subjects AS who ON who.id = sums.subject" : ""}
    ${ofOperations ? "JOIN spend_operations AS what ON what.id = sums.operation" : ""}`;
}

/** The rows from `$first` to `$last` of calls made from `$from` until before `$to`, by group. */
export function rowsStatement(query: SpendQuery): string {
  return groupedRows(query, "seq >= $first AND seq <= $last AND called_at >= $from AND called_at < $to");
}

/**
 * The later rows of those calls that lie behind `$behind` and before `$next`: what became of a call, or what it did cost,
 * is told any time after it.
 */
export function laterRowsStatement(query: SpendQuery): string {
  return groupedRows(
    query,
    `seq IN (
       SELECT later.seq FROM audit_rows AS own JOIN audit_rows AS later ON later.refers_to = own.id
       WHERE own.seq >= $first AND own.seq <= $last AND own.called_at >= $from AND own.called_at < $to
         AND later.seq > $behind AND later.seq < $next
     )`,
  );
}

function groupedRows(query: SpendQuery, range: string): string {
  const { by, splitByVendor, filter } = query;
  const vendor = filter.vendor === undefined ? [] : ["vendor = $vendor"];
  const conditions = [range, ...subjectConditions(query), ...vendor];
  return `
    SELECT ${VALUES[by]("called_at")} AS value, ${splitByVendor ? "vendor" : "NULL"} AS vendor, ${ROW_SUMS}
    FROM audit_rows WHERE ${conditions.join(" AND ")} GROUP BY 1, 2`;
}
