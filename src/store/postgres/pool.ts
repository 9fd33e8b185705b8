import { SQL } from "bun";
import { Problem } from "../../core/problem.ts";

/** Connections of the ledger: one decides, and one is at hand while a broken one is being replaced. */
export const LEDGER_CONNECTIONS = 2;

/** Connections for single rows: moments each. */
export const QUICK_CONNECTIONS = 4;

/** Connections for what goes over many rows or waits for the ledger's lock, apart, so that it keeps no call waiting. */
export const SLOW_CONNECTIONS = 4;

/** How long a new connection may take where the URL does not say: a call is not to wait longer for its refusal. */
const CONNECT_TIMEOUT_SECONDS = 1;
const CONNECT_TIMEOUT_SECONDS_MAX = 60;

/** @throws Problem where `url` is none of PostgreSQL's. */
export function openPool(url: string, connectionsMax: number): SQL {
  const { hostname, port, username, password, pathname, searchParams } = parse(url);
  const mode = searchParams.get("sslmode");
  // Every field is given, because Bun fills what is not from PGHOST, PGDATABASE and their like.
  return new SQL({
    adapter: "postgres",
    hostname: decodeURIComponent(hostname).replace(/^\[|\]$/g, ""),
    port: Number(port || 5432),
    username: decodeURIComponent(username) || "postgres",
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)) || "postgres",
    tls: tlsOf(mode, searchParams.get("sslrootcert")),
    // A pooler in transaction mode hands each transaction to another session, which knows no statement by its name.
    prepare: searchParams.get("pgbouncer") !== "true",
    max: connectionsMax,
    bigint: true,
    connectionTimeout: connectTimeoutOf(searchParams.get("connect_timeout")),
    idleTimeout: 0,
    // A connection that fails is told to whoever uses it.
    onclose: () => {},
  });
}

const TLS_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;

function tlsOf(mode: string | null, caFile: string | null) {
  const wanted = TLS_MODES.find((each) => each === mode);
  if (mode !== null && wanted === undefined) {
    throw new Problem("usage", `sslmode=${mode} is not one of ${TLS_MODES.join(", ")}`, "verify-full is the safe one");
  }
  if (caFile !== null) return { ca: Bun.file(caFile), rejectUnauthorized: true };
  return wanted ?? "prefer";
}

/** How long a connection from `openPool(url)` may take to be there, in milliseconds. */
export function connectTimeoutMsOf(url: string): number {
  return 1_000 * connectTimeoutOf(parse(url).searchParams.get("connect_timeout"));
}

/** Seconds, by libpq's name: far away, or on a busy machine, a connection may take longer. */
function connectTimeoutOf(text: string | null): number {
  if (text === null) return CONNECT_TIMEOUT_SECONDS;
  const seconds = /^[0-9]{1,2}$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= CONNECT_TIMEOUT_SECONDS_MAX) return seconds;
  throw new Problem(
    "usage",
    `connect_timeout=${text} is not from 1 to ${CONNECT_TIMEOUT_SECONDS_MAX} seconds`,
    `leave it out for ${CONNECT_TIMEOUT_SECONDS} second`,
  );
}

export function isPostgresUrl(url: string): boolean {
  return /^postgres(?:ql)?:/i.test(url);
}

function parse(url: string): URL {
  if (isPostgresUrl(url) && URL.canParse(url)) return new URL(url);
  // Never with the text itself: it holds a password.
  throw new Problem(
    "usage",
    "the store is no PostgreSQL URL",
    "write it as postgres://USER:PASSWORD@HOST:5432/DATABASE",
  );
}
