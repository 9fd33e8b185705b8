import { readFileSync } from "node:fs";
import { type Environment, isLoopback } from "../../config.ts";
import type { RemoteSetting } from "../../config-remote.ts";
import { Problem } from "../../core/problem.ts";
import { Secret } from "../../core/secret.ts";
import { parseControlToken } from "../../vault/control-token.ts";
import { fileProblem } from "../../vault/private-file.ts";

/** Where a server is, and how it is spoken to. */
export interface RemoteAddress {
  /** `https://host:port/prefix`, without a slash at its end. */
  readonly base: string;
  readonly token: Secret;
  /** Certificates that are trusted in place of the system's. */
  readonly ca: string | undefined;
  /** Not over TLS: then no proxy may be between, since it would see the token. */
  readonly isPlain: boolean;
}

/** @throws Problem `usage` where the token could be read on its way, or is none. */
export function remoteAddress(setting: RemoteSetting, environment: Environment): RemoteAddress {
  const url = parseUrl(setting.url);
  const isPlain = url.protocol === "http:";
  if (isPlain && !isLoopback(url.hostname.replace(/^\[|\]$/g, "")) && !setting.allowsHttp) {
    throw new Problem(
      "usage",
      `KEYBRAKE_URL is ${shownUrl(url)}: over plain HTTP others on the network could read the token and secrets`,
      "use https://; KEYBRAKE_ALLOW_HTTP=true allows it where the network itself is encrypted, like a VPN",
    );
  }
  refuseUnsafe(environment);
  return {
    base: shownUrl(url),
    token: readToken(setting.token),
    ca: setting.caFile === undefined ? undefined : readCertificates(setting.caFile),
    isPlain,
  };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  if (url?.username || url?.password) {
    throw new Problem("usage", "KEYBRAKE_URL has a user name in it", "the token stands in KEYBRAKE_API_KEY");
  }
  if (url && isHttp && url.search === "" && url.hash === "") return url;
  throw new Problem(
    "usage",
    `KEYBRAKE_URL is ${JSON.stringify(text.slice(0, 200))}; it must be the address of a server`,
    "like https://keybrake.example or http://127.0.0.1:7878",
  );
}

function shownUrl({ origin, pathname }: URL): string {
  return `${origin}${pathname}`.replace(/\/+$/, "");
}

/** Looked at before it is sent: something else in that variable may be another place's secret. */
function readToken(text: string): Secret {
  const token = parseControlToken(text);
  if (token.ok) return new Secret(text);
  const why =
    token.why === "bad_checksum" ? "is damaged: its checksum does not fit" : "is not a token of the control plane";
  throw new Problem(
    "usage",
    `KEYBRAKE_API_KEY ${why}`,
    "copy it again, or make one: keybrake token issue --role admin",
  );
}

/** What Bun would obey, and with what the token would be printed or sent to whoever answers. */
function refuseUnsafe(environment: Environment): void {
  const isSet = (name: string) => !["", "0", "false", undefined].includes(environment[name]);
  const unsafe = environment["NODE_TLS_REJECT_UNAUTHORIZED"] === "0" ? "NODE_TLS_REJECT_UNAUTHORIZED" : undefined;
  const name = unsafe ?? (isSet("BUN_CONFIG_VERBOSE_FETCH") ? "BUN_CONFIG_VERBOSE_FETCH" : undefined);
  if (name === undefined) return;
  throw new Problem(
    "usage",
    `the environment variable ${name} is set; with it the token could get to others`,
    `unset it, as in: env -u ${name} keybrake key list; KEYBRAKE_CA_FILE names an authority of your own`,
  );
}

function readCertificates(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw fileProblem("cannot read KEYBRAKE_CA_FILE", path, cause);
  }
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new Problem("usage", `KEYBRAKE_CA_FILE ${path} holds no certificate`, "it must be a PEM file");
}
