import type { Database } from "bun:sqlite";
import type { SpendMismatch } from "../spend.ts";
import { checkSpend } from "./spend-check.ts";
import { SpendReader } from "./spend-reader.ts";
import { SpendSumsWriter } from "./spend-sums.ts";

/** The store's part in reports of spending on SQLite. */
export class SqliteSpend {
  readonly sums: SpendSumsWriter;
  readonly reader: SpendReader;
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
    this.sums = new SpendSumsWriter(database);
    this.reader = new SpendReader(database.filename);
  }

  check(): readonly SpendMismatch[] {
    return checkSpend(this.#database);
  }

  close(): Promise<void> {
    return this.reader.close();
  }
}
