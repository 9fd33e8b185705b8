import type { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import { drizzle } from "drizzle-orm/bun-sqlite";
import { SPEND_KEYS } from "../../src/store/spend.ts";
import { SqliteAlerts } from "../../src/store/sqlite/alerts.ts";
import { SqliteAudit } from "../../src/store/sqlite/audit.ts";
import { migrate, openDatabase } from "../../src/store/sqlite/database.ts";
import { SqliteGauges } from "../../src/store/sqlite/gauges.ts";
import { SqliteKeys } from "../../src/store/sqlite/keys.ts";
import { SqliteLedger } from "../../src/store/sqlite/ledger.ts";
import { laterRowsStatement, rowsStatement, sumsStatement } from "../../src/store/sqlite/spend-statements.ts";
import { SpendSumsWriter } from "../../src/store/sqlite/spend-sums.ts";
import type { AuditFilter } from "../../src/store/store.ts";
import { NOON } from "../ledger/entries.ts";
import { temporaryDatabase } from "./temporary-database.ts";

const { path, remove } = temporaryDatabase();
const database = openDatabase(path);
migrate(database, path, NOON);
/** bun:sqlite leaves an explained write in progress, and then nothing can be committed on the same handle. */
const planner = openDatabase(path);
afterAll(() => {
  planner.close();
  database.close();
  remove();
});

/** The statements that `work` has prepared. */
function statementsOf(work: (database: Database) => void): string[] {
  const statements: string[] = [];
  const spy = new Proxy(database, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (name === "query" || name === "prepare") statements.push(String(args[0]));
        return value.apply(target, args);
      };
    },
  });
  work(spy);
  return statements;
}

/** What SQLite would read for it; statements without a plan (an INSERT of values) read nothing. */
function planOf(statement: string): string {
  const steps = planner.query(`EXPLAIN QUERY PLAN ${statement}`).all() as { detail: string }[];
  return steps.map(({ detail }) => detail).join(" | ");
}

/** The calls in flight are few and may be read whole; what grows may not. */
const SCAN = /SCAN (?:audit_rows|vault_keys|counters)/;

const FILTERS: readonly AuditFilter[] = [
  { callId: "call_1" },
  { run: "ray-billing/01" },
  { keyId: "vk_1" },
  { state: "unresolved" },
  { customer: "cus_1" },
  { triggeringEventId: "evt_1" },
  { verdict: "cap_exceeded", since: NOON },
  { vendor: "stripe", since: NOON },
];

describe("the cost of a question does not grow with the rows that it is not about", () => {
  for (const filter of FILTERS) {
    test(`an audit query by ${Object.keys(filter).join(" and ")} (${Object.values(filter)[0]}) uses an index`, () => {
      const statements = statementsOf((spy) => new SqliteAudit(drizzle(spy)).query(filter, { limit: 50 }));
      expect(statements.some((statement) => statement.includes("audit_rows"))).toBe(true);
      for (const statement of statements) expect(planOf(statement)).not.toMatch(SCAN);
    });
  }

  test("the ledger's statements, the sweep of abandoned holds included, never scan calls, keys or counters", () => {
    const statements = statementsOf((spy) => new SqliteLedger(spy).apply([], NOON));
    expect(statements.length).toBeGreaterThan(8);
    for (const statement of statements) expect(planOf(statement)).not.toMatch(SCAN);
  });

  test("rows are added to the sums of spending, and reports read sums and parts of hours, by their place", () => {
    const writing = statementsOf((spy) => {
      const sums = new SpendSumsWriter(spy);
      sums.addUp(10);
      sums.keep([1n]);
    });
    const queries = SPEND_KEYS.flatMap((by) =>
      [
        {},
        { run: "ray-billing/01" },
        { keyId: "vk_1" },
        { labelContains: "a", issuedBy: "tok_1", vendor: "stripe" },
      ].map((filter) => ({ by, splitByVendor: true, filter })),
    );
    const reading = queries.flatMap((query) => [sumsStatement(query), rowsStatement(query), laterRowsStatement(query)]);
    expect(writing.length).toBeGreaterThan(6);
    for (const statement of [...writing, ...reading]) {
      expect(planOf(statement)).not.toMatch(/SCAN (?:audit_rows|vault_keys|spend_sums|own|later|who|what)\b/);
    }
  });

  test("a key is found by its hash, and its spend summed, by index", () => {
    const statements = statementsOf((spy) => {
      const keys = new SqliteKeys(drizzle(spy));
      keys.findByHash(new Uint8Array(32));
      keys.spend("vk_1");
    });
    for (const statement of statements) expect(planOf(statement)).not.toMatch(SCAN);
  });

  test("figures for metrics are read without a scan", () => {
    const statements = statementsOf((spy) => {
      const gauges = new SqliteGauges(spy);
      gauges.gauges(NOON);
    });
    expect(statements).toHaveLength(5);
    for (const statement of statements) expect(planOf(statement)).not.toMatch(SCAN);
    expect(planOf(statements[0]!)).toContain("audit_rows_unresolved");
  });

  test("alerts are looked for, queued and sent without a scan", () => {
    const statements = statementsOf((spy) => {
      const alerts = new SqliteAlerts(spy);
      alerts.readSlice(10);
      alerts.untoldActs(10);
      alerts.tallies("run", "run/1", 0);
      alerts.counterUse("key:vk_1:daily_usd_cap", 0);
      alerts.take("ops", NOON, NOON);
    });
    expect(statements.length).toBeGreaterThan(8);
    for (const statement of statements) expect(planOf(statement)).not.toMatch(SCAN);
    const taking = statements.find((statement) => statement.startsWith("UPDATE alert_deliveries SET attempts"));
    expect(planOf(taking!)).toContain("alert_deliveries_pending");
  });
});
