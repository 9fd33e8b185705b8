import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type ConfigFile, readConfigFile } from "./config-file.ts";
import { type Currency, currencyExponent } from "./core/currency.ts";
import type { Micros } from "./core/money.ts";
import { Problem } from "./core/problem.ts";
import { parseDuration } from "./core/window.ts";

/** A TCP address to listen on. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

export interface Limits {
  readonly bodyBytesMax: number;
  readonly answerBytesMax: number;
  readonly upstreamTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly concurrentCallsMax: number;
  readonly concurrentCallsPerKeyMax: number;
  readonly drainTimeoutMs: number;
}

/** Everything that can be set, checked, with its default; nothing else reads the environment or `keybrake.yaml`. */
export interface Config {
  readonly dataDir: string;
  readonly listen: Listen;
  readonly adminListen: Listen | undefined;
  readonly policiesDir: string;
  /** `sqlite:` and the like. */
  readonly storeUrl: string;
  readonly masterKeyFile: string | undefined;
  readonly masterKeyCandidates: readonly string[];
  /** How agents reach the proxy; no trailing slash. */
  readonly publicUrl: string;
  readonly behindTlsProxy: boolean;
  readonly sandbox: boolean;
  readonly limits: Limits;
  readonly currencyRates: ReadonlyMap<Currency, Micros>;
  /** Vendor → price name → dollars. */
  readonly prices: ReadonlyMap<string, ReadonlyMap<string, Micros>>;
  /** For keys whose policy has no `expires_in`; undefined makes it required. */
  readonly keyExpiresInMs: number | undefined;
  readonly keyExpiresInMaxMs: number;
  /** Where the checkpoints of the audit chain are appended. */
  readonly auditCheckpointsFile: string;
  /** Audit rows are kept for so many days; undefined keeps them for ever. */
  readonly retentionDays: number | undefined;
  /** Where the CLI talks to a remote server instead of the data directory. */
  readonly remote: { readonly url: string; readonly token: string } | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The flags that stand above the environment; undefined where they were not given. */
export interface ConfigFlags {
  readonly data?: string | undefined;
  readonly listen?: string | undefined;
  readonly adminListen?: string | undefined;
  readonly policies?: string | undefined;
  readonly store?: string | undefined;
  readonly sandbox?: boolean | undefined;
  readonly behindTlsProxy?: boolean | undefined;
}

export const DEFAULT_LISTEN = "127.0.0.1:7878";

const DEFAULT_LIMITS: Limits = {
  bodyBytesMax: 1024 * 1024,
  answerBytesMax: 16 * 1024 * 1024,
  upstreamTimeoutMs: 80_000,
  bodyTimeoutMs: 15_000,
  concurrentCallsMax: 4_096,
  concurrentCallsPerKeyMax: 1_024,
  drainTimeoutMs: 25_000,
};

/** The process's environment: the one place where it is read. */
export function processEnvironment(): Environment {
  return process.env;
}

/**
 * Flags, then environment, then `keybrake.yaml` in the data directory, then defaults.
 * @throws Problem that names the key, what is allowed and what was given.
 */
export function readConfig(flags: ConfigFlags, environment: Environment): Config {
  const dataDir = flags.data ?? environment["KEYBRAKE_DATA"] ?? defaultDataDir(environment);
  const file = readConfigFile(environment["KEYBRAKE_CONFIG"] ?? join(dataDir, "keybrake.yaml"));
  const listen = parseListen(
    "listen",
    flags.listen ?? environment["KEYBRAKE_LISTEN"] ?? file.text("listen") ?? DEFAULT_LISTEN,
  );
  const adminListen = flags.adminListen ?? environment["KEYBRAKE_ADMIN_LISTEN"] ?? file.text("admin_listen");
  const config: Config = {
    dataDir,
    listen,
    adminListen: adminListen === undefined ? undefined : parseListen("admin_listen", adminListen),
    policiesDir:
      flags.policies ?? environment["KEYBRAKE_POLICIES"] ?? file.text("policies") ?? defaultPoliciesDir(dataDir),
    storeUrl: flags.store ?? environment["KEYBRAKE_STORE"] ?? file.text("store") ?? "sqlite:",
    masterKeyFile: environment["KEYBRAKE_MASTER_KEY_FILE"] ?? file.text("master_key_file"),
    masterKeyCandidates: masterKeyCandidates(environment),
    publicUrl: (environment["KEYBRAKE_PUBLIC_URL"] ?? file.text("public_url") ?? listenUrl(listen)).replace(/\/+$/, ""),
    behindTlsProxy: flags.behindTlsProxy ?? file.flag("behind_tls_proxy") ?? false,
    sandbox: flags.sandbox ?? false,
    limits: readLimits(file),
    currencyRates: readRates(file),
    prices: readPrices(file),
    keyExpiresInMs: file.duration("key_expires_in_default"),
    keyExpiresInMaxMs: file.duration("key_expires_in_max") ?? parseDuration("90d"),
    auditCheckpointsFile:
      environment["KEYBRAKE_AUDIT_CHECKPOINTS"] ?? file.text("audit_checkpoints") ?? join(dataDir, "checkpoints"),
    retentionDays: file.count("retention_days"),
    remote: readRemote(environment),
  };
  file.refuseUnknown();
  return config;
}

export function listenUrl({ host, port }: Listen): string {
  const reachable = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Settings of the runtime under which a secret would leave, or TLS would not be checked (architecture.md, 5). */
const UNSAFE_VARIABLES: readonly { readonly name: string; readonly unsafe: (value: string) => boolean }[] = [
  { name: "NODE_TLS_REJECT_UNAUTHORIZED", unsafe: (value) => value === "0" },
  ...[
    "BUN_CONFIG_VERBOSE_FETCH",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
  ].map((name) => ({ name, unsafe: (value: string) => value !== "" && value !== "0" && value !== "false" })),
];

/** @throws Problem that names the first unsafe variable: the server does not start with it. */
export function refuseUnsafeEnvironment(environment: Environment): void {
  for (const { name, unsafe } of UNSAFE_VARIABLES) {
    const value = environment[name];
    if (value === undefined || !unsafe(value)) continue;
    throw new Problem(
      "invalid",
      `the environment variable ${name} is set; with it the vendor's secret could leave by another way`,
      `unset ${name} for keybrake, as in: env -u ${name} keybrake serve`,
    );
  }
}

function defaultDataDir(environment: Environment): string {
  const state = environment["XDG_STATE_HOME"];
  if (state?.startsWith("/")) return join(state, "keybrake");
  if (process.platform === "darwin") return join(homedir(), "Library", "Application Support", "keybrake");
  return join(environment["HOME"] || homedir(), ".local", "state", "keybrake");
}

function defaultPoliciesDir(dataDir: string): string {
  return existsSync("policies") ? "policies" : join(dataDir, "policies");
}

function masterKeyCandidates(environment: Environment): string[] {
  const credentials = environment["CREDENTIALS_DIRECTORY"];
  return [...(credentials ? [join(credentials, "keybrake-master-key")] : []), "/run/secrets/keybrake-master-key"];
}

function readRemote(environment: Environment): Config["remote"] {
  const url = environment["KEYBRAKE_URL"];
  if (!url) return undefined;
  const token = environment["KEYBRAKE_API_KEY"];
  if (token) return { url: url.replace(/\/+$/, ""), token };
  throw new Problem(
    "usage",
    "KEYBRAKE_URL is set but KEYBRAKE_API_KEY is not",
    "set KEYBRAKE_API_KEY to a control token, or unset KEYBRAKE_URL to work on the local data directory",
  );
}

function parseListen(key: string, text: string): Listen {
  const match = /^(?:\[([0-9A-Fa-f:]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new Problem(
      "invalid",
      `${key} is "${text}"; it must be host:port`,
      "for example 127.0.0.1:7878 or [::1]:7878",
    );
  }
  return { host: (match[1] ?? match[2])!, port };
}

function readLimits(file: ConfigFile): Limits {
  const section = file.section("limits");
  const limits: Limits = {
    bodyBytesMax: section.count("body_bytes_max") ?? DEFAULT_LIMITS.bodyBytesMax,
    answerBytesMax: section.count("answer_bytes_max") ?? DEFAULT_LIMITS.answerBytesMax,
    upstreamTimeoutMs: section.duration("upstream_timeout") ?? DEFAULT_LIMITS.upstreamTimeoutMs,
    bodyTimeoutMs: section.duration("body_timeout") ?? DEFAULT_LIMITS.bodyTimeoutMs,
    concurrentCallsMax: section.count("concurrent_calls_max") ?? DEFAULT_LIMITS.concurrentCallsMax,
    concurrentCallsPerKeyMax: section.count("concurrent_calls_per_key_max") ?? DEFAULT_LIMITS.concurrentCallsPerKeyMax,
    drainTimeoutMs: section.duration("drain_timeout") ?? DEFAULT_LIMITS.drainTimeoutMs,
  };
  section.refuseUnknown();
  return limits;
}

function readRates(file: ConfigFile): ReadonlyMap<Currency, Micros> {
  const section = file.section("currency_rates");
  const rates = new Map<Currency, Micros>();
  for (const code of section.names()) {
    if (currencyExponent(code) === undefined) section.fail(code, "a three-letter currency in lower case, like eur");
    rates.set(code, section.usd(code));
  }
  return rates;
}

function readPrices(file: ConfigFile): ReadonlyMap<string, ReadonlyMap<string, Micros>> {
  const section = file.section("prices");
  const prices = new Map<string, Map<string, Micros>>();
  for (const vendor of section.names()) {
    const ofVendor = section.section(vendor);
    prices.set(vendor, new Map(ofVendor.names().map((name) => [name, ofVendor.usd(name)])));
  }
  return prices;
}
