import { existsSync } from "node:fs";
import { Problem } from "../../core/problem.ts";
import { openPostgresCopyEnd } from "../postgres/copy-end.ts";
import { unavailable as unavailablePostgres } from "../postgres/guard.ts";
import { isPostgresUrl } from "../postgres/pool.ts";
import { openSqliteCopyEnd, type SqliteCopyEnd } from "../sqlite/copy-end.ts";
import { unavailable as unavailableSqlite } from "../sqlite/store.ts";
import type { CopyEnd } from "./copy-end.ts";
import { type CopyOptions, type CopyReport, copyStore } from "./copy-store.ts";

export interface CopyRequest extends CopyOptions {
  /** As `openStore` takes it, with the path of the file where it is one. */
  readonly from: string;
  readonly to: string;
}

/**
 * Copies one store into another of the other kind, and closes both.
 * @throws Problem where either cannot be opened, and as `copyStore` does.
 */
export async function copyBetween({ from, to, ...options }: CopyRequest): Promise<CopyReport> {
  if (isPostgresUrl(from) === isPostgresUrl(to)) throw sameKind(from);
  const file = (isPostgresUrl(from) ? to : from).slice("sqlite:".length);
  if (!isPostgresUrl(from) && !existsSync(file)) {
    throw new Problem(
      "not_found",
      `there is no database ${file}`,
      "name the file as --from sqlite:/path/to/keybrake.db",
    );
  }
  let sqlite: SqliteCopyEnd | undefined;
  let postgres: CopyEnd | undefined;
  try {
    const [sqliteRole, postgresRole] = isPostgresUrl(from)
      ? (["target", "source"] as const)
      : (["source", "target"] as const);
    postgres = await openPostgresCopyEnd(isPostgresUrl(from) ? from : to, options.now, postgresRole);
    sqlite = openSqliteCopyEnd(file, options.now, sqliteRole);
    const [source, target] = isPostgresUrl(from) ? [postgres, sqlite] : [sqlite, postgres];
    return await copyStore(source, target, sqlite.tables, options);
  } catch (cause) {
    throw unavailableSqlite(unavailablePostgres(cause));
  } finally {
    await sqlite?.close();
    await postgres?.close();
  }
}

function sameKind(from: string): Problem {
  const how = isPostgresUrl(from) ? "pg_dump and pg_restore" : "keybrake backup and keybrake restore";
  return new Problem("usage", "--from and --to are stores of the same kind", `between those use ${how}`);
}
