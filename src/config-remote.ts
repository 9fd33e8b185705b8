import type { Environment } from "./config.ts";
import { Problem } from "./core/problem.ts";

/** The server that the command line speaks to in place of a data directory, as the environment names it. */
export interface RemoteSetting {
  /** `KEYBRAKE_URL` as it is. */
  readonly url: string;
  /** `KEYBRAKE_API_KEY`. */
  readonly token: string;
  /** `KEYBRAKE_CA_FILE`: certificates (PEM) of the authority that the server's own is signed by. */
  readonly caFile: string | undefined;
  /** `KEYBRAKE_ALLOW_HTTP`: the token may go in clear to another machine. */
  readonly allowsHttp: boolean;
}

/**
 * Undefined where `KEYBRAKE_URL` is not set: then the command line works on the local data directory.
 * @throws Problem `usage` where it is set and the rest does not fit.
 */
export function readRemote(environment: Environment): RemoteSetting | undefined {
  const url = environment["KEYBRAKE_URL"];
  if (!url) return undefined;
  const token = environment["KEYBRAKE_API_KEY"];
  if (!token) {
    throw new Problem(
      "usage",
      "KEYBRAKE_URL is set but KEYBRAKE_API_KEY is not",
      "set KEYBRAKE_API_KEY to a control token, or unset KEYBRAKE_URL to work on the local data directory",
    );
  }
  const caFile = environment["KEYBRAKE_CA_FILE"] || undefined;
  return { url, token, caFile, allowsHttp: flag("KEYBRAKE_ALLOW_HTTP", environment) };
}

/** Only whether a server is named, for what works on this machine in any case. */
export function isRemote(environment: Environment): boolean {
  return Boolean(environment["KEYBRAKE_URL"]);
}

function flag(name: string, environment: Environment): boolean {
  const value = environment[name] ?? "";
  if (["", "0", "false"].includes(value)) return false;
  if (["1", "true"].includes(value)) return true;
  throw new Problem("usage", `${name} is ${JSON.stringify(value)}; it must be true or false`, `unset ${name}`);
}
