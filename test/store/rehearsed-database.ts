import { Database } from "bun:sqlite";
import type { ReservedSQL } from "bun";
import { Link } from "../../src/store/postgres/link.ts";
import type { Argument, PgStatement } from "../../src/store/postgres/rehearsal.ts";

const SCHEMA = `
  CREATE TABLE counters (name TEXT PRIMARY KEY, used INTEGER NOT NULL);
  CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT NOT NULL);`;

/** The arguments of each as `value`, and their place in the list as `key`, as PostgreSQL's statements have it. */
const EACH = "json_each(?1)";

/** Statements on the two tables, worded for SQLite: each is given many at once. */
export const STATEMENTS = {
  used: {
    sql: `SELECT key + 1 AS i, used FROM ${EACH} JOIN counters ON name = value ->> 0`,
    reads: ["counters"],
  },
  sum: { sql: `SELECT key + 1 AS i, (SELECT total(used) FROM counters) AS used FROM ${EACH}`, reads: ["counters"] },
  setUsed: {
    sql: `INSERT INTO counters SELECT value ->> 0, value ->> 1 FROM ${EACH} WHERE true
          ON CONFLICT (name) DO UPDATE SET used = excluded.used`,
    writes: "counters",
  },
  text: { sql: `SELECT key + 1 AS i, text FROM ${EACH} JOIN notes ON notes.id = value ->> 0`, reads: ["notes"] },
  note: {
    sql: `INSERT INTO notes SELECT value ->> 0, value ->> 1 FROM ${EACH} WHERE true ON CONFLICT DO NOTHING`,
    sqlOfNew: `INSERT INTO notes SELECT value ->> 0, value ->> 1 FROM ${EACH}`,
    writes: "notes",
  },
  forget: { sql: `DELETE FROM notes WHERE id IN (SELECT value ->> 0 FROM ${EACH})`, writes: "notes" },
} as const satisfies Record<string, PgStatement>;

export interface FakePostgres {
  readonly link: Link;
  /** What was sent, in its order. */
  readonly sent: readonly string[];
  /** What the next COMMIT is answered, where it is not carried out. */
  answersCommit: "COMMIT" | "ROLLBACK" | "silence";
  tables(): unknown;
}

/**
 * A link to something that answers as PostgreSQL does: a failed statement ends the transaction, whose COMMIT is answered
 * with ROLLBACK then.
 */
export function fakePostgres(): FakePostgres {
  const database = openTables();
  const sent: string[] = [];
  const fake: FakePostgres = {
    link: new Link({ unsafe, release: async () => {}, close: async () => {} } as unknown as ReservedSQL, 1_000),
    sent,
    answersCommit: "COMMIT",
    tables: () => contentOf(database),
  };
  let hasFailed = false;
  async function unsafe(sql: string, params: readonly [string?]) {
    sent.push(sql);
    const [verb] = sql.split(" ", 1);
    if (verb === "BEGIN" || verb === "COMMIT" || verb === "ROLLBACK") return transaction(verb);
    if (hasFailed) throw serverError("25P02", "the transaction is aborted");
    try {
      return answer(database, sql, params[0]!);
    } catch (cause) {
      hasFailed = true;
      throw /UNIQUE/.test(String(cause)) ? serverError("23505", "duplicate key") : cause;
    }
  }
  function transaction(verb: "BEGIN" | "COMMIT" | "ROLLBACK") {
    if (verb === "COMMIT" && fake.answersCommit === "silence") throw new Error("connection closed");
    const isMade = verb !== "COMMIT" || (!hasFailed && fake.answersCommit === "COMMIT");
    const command = isMade ? verb : "ROLLBACK";
    hasFailed = false;
    if (database.inTransaction !== (verb === "BEGIN")) database.run(command);
    return Object.assign([], { count: 0, command });
  }
  return fake;
}

/** The same statements on a database in the process, where each is carried out at once. */
export function directly() {
  const database = openTables();
  return {
    tables: () => contentOf(database),
    statement: (statement: PgStatement) => {
      const ask = (args: readonly Argument[]) => answer(database, statement.sql, JSON.stringify([args]));
      return {
        get: (...args: readonly Argument[]) => ask(args)[0] ?? null,
        run: (...args: readonly Argument[]) => ({ changes: ask(args).count }),
      };
    },
  };
}

function openTables(): Database {
  const database = new Database(":memory:");
  database.run(SCHEMA);
  return database;
}

function answer(database: Database, sql: string, json: string) {
  const rows = database.query(sql).all(json);
  const [{ count }] = database.query("SELECT changes() AS count").all() as [{ count: number }];
  return Object.assign(rows, { count, command: sql.split(" ", 1)[0] });
}

function contentOf(database: Database): unknown {
  return [
    database.query("SELECT * FROM counters ORDER BY name").all(),
    database.query("SELECT * FROM notes ORDER BY id").all(),
  ];
}

function serverError(errno: string, message: string): Error {
  return Object.assign(new Error(message), { errno, code: "ERR_POSTGRES_SERVER_ERROR" });
}
