import type { Migration } from "../../src/store/migrate.ts";

/** What a later release might bring. */
export const SECOND_MIGRATION: Migration = {
  name: "0002_colours",
  sql: "CREATE TABLE colours (colour INTEGER NOT NULL) STRICT; INSERT INTO colours VALUES (7);",
};
