import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type AlertSettings, readAlerts } from "./config-alerts.ts";
import { type ConfigFile, readConfigFile } from "./config-file.ts";
import { storeVariable } from "./config-store.ts";
import { type MetricsAccess, readLogLevel, readMetricsAccess } from "./config-telemetry.ts";
import { readTraces, type TraceSettings } from "./config-traces.ts";
import { type CurrencyRateDates, type CurrencyRates, currencyExponent } from "./core/currency.ts";
import type { Micros } from "./core/money.ts";
import { Problem } from "./core/problem.ts";
import { parseDuration } from "./core/window.ts";
import type { LogLevel } from "./log.ts";
import { declaredVendors } from "./vendors/declared/read.ts";
import { VENDORS } from "./vendors/index.ts";
import { type OperatorPrices, operatorPrices } from "./vendors/operator-prices.ts";
import type { Vendor } from "./vendors/vendor.ts";

/** A TCP address to listen on. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** Both in PEM. */
export interface TlsFiles {
  /** The server's certificate, and after it those that lead to a root. */
  readonly certFile: string;
  readonly keyFile: string;
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
  /** With it both addresses speak TLS and nothing else. */
  readonly tls: TlsFiles | undefined;
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
  readonly currencyRates: CurrencyRates;
  readonly currencyRateDates: CurrencyRateDates;
  /** Every vendor that there is here: Keybrake's own, and after them those that `keybrake.yaml` declares. */
  readonly vendors: readonly Vendor[];
  readonly prices: OperatorPrices;
  /** For keys whose policy has no `expires_in`; undefined makes it required. */
  readonly keyExpiresInMs: number | undefined;
  readonly keyExpiresInMaxMs: number;
  /** Where the checkpoints of the audit chain are appended. */
  readonly auditCheckpointsFile: string;
  /** Audit rows are kept for so many days; undefined keeps them for ever. */
  readonly retentionDays: number | undefined;
  readonly alerts: AlertSettings;
  readonly metricsAccess: MetricsAccess;
  readonly logLevel: LogLevel;
  readonly traces: TraceSettings;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The flags that stand above the environment; undefined where they were not given. */
export interface ConfigFlags {
  readonly data?: string | undefined;
  readonly listen?: string | undefined;
  readonly adminListen?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
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
  return configOf(readConfigFile(configPath(flags, environment)), flags, environment);
}

/**
 * The same of a file that has been read.
 * @throws Problem as `readConfig`.
 */
export function configOf(file: ConfigFile, flags: ConfigFlags, environment: Environment): Config {
  const dataDir = dataDirectory(flags, environment);
  // The file is asked for every setting, also for one that stands above: or it would be taken for one that there is not.
  const text = (key: string, ...above: (string | undefined)[]): string | undefined => {
    const own = file.text(key);
    return above.find((value) => value !== undefined) ?? own;
  };
  const listen = parseListen("listen", text("listen", flags.listen, environment["KEYBRAKE_LISTEN"]) ?? DEFAULT_LISTEN);
  const vendors = readVendors(file);
  const adminListen = text("admin_listen", flags.adminListen, environment["KEYBRAKE_ADMIN_LISTEN"]);
  const tls = tlsFiles(
    text("tls_cert", flags.tlsCert, environment["KEYBRAKE_TLS_CERT"]),
    text("tls_key", flags.tlsKey, environment["KEYBRAKE_TLS_KEY"]),
  );
  const publicUrl = text("public_url", environment["KEYBRAKE_PUBLIC_URL"]) ?? listenUrl(listen, tls ? "https" : "http");
  const isBehindTlsProxy = file.flag("behind_tls_proxy") ?? false;
  const config: Config = {
    dataDir,
    listen,
    adminListen: adminListen === undefined ? undefined : parseListen("admin_listen", adminListen),
    tls,
    policiesDir: text("policies", flags.policies, environment["KEYBRAKE_POLICIES"]) ?? defaultPoliciesDir(dataDir),
    storeUrl: text("store", flags.store ?? storeOf(environment)) ?? "sqlite:",
    masterKeyFile: text("master_key_file", environment["KEYBRAKE_MASTER_KEY_FILE"]),
    masterKeyCandidates: masterKeyCandidates(environment),
    publicUrl: publicUrl.replace(/\/+$/, ""),
    behindTlsProxy: flags.behindTlsProxy ?? isBehindTlsProxy,
    sandbox: flags.sandbox ?? false,
    limits: readLimits(file),
    ...readRates(file),
    vendors,
    prices: file.has("prices") ? operatorPrices(file.source, file.path, vendors) : new Map(),
    keyExpiresInMs: file.duration("key_expires_in_default"),
    keyExpiresInMaxMs: file.duration("key_expires_in_max") ?? parseDuration("90d"),
    auditCheckpointsFile:
      text("audit_checkpoints", environment["KEYBRAKE_AUDIT_CHECKPOINTS"]) ?? join(dataDir, "checkpoints"),
    retentionDays: file.count("retention_days"),
    alerts: readAlerts(file),
    metricsAccess: readMetricsAccess(file),
    logLevel: readLogLevel(file, environment["KEYBRAKE_LOG_LEVEL"]),
    traces: readTraces(file),
  };
  file.refuseUnknown();
  return config;
}

/** Where `keybrake.yaml` is, or would be. */
export function configPath(flags: ConfigFlags, environment: Environment): string {
  return environment["KEYBRAKE_CONFIG"] ?? join(dataDirectory(flags, environment), "keybrake.yaml");
}

function dataDirectory(flags: ConfigFlags, environment: Environment): string {
  return flags.data ?? environment["KEYBRAKE_DATA"] ?? defaultDataDir(environment);
}

/** Where a program on this machine reaches what listens there. */
export function listenUrl({ host, port }: Listen, scheme: "http" | "https"): string {
  const reachable = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `${scheme}://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
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

function storeOf(environment: Environment): string | undefined {
  return storeVariable(environment["KEYBRAKE_STORE"], environment["KEYBRAKE_STORE_FILE"]);
}

function masterKeyCandidates(environment: Environment): string[] {
  const credentials = environment["CREDENTIALS_DIRECTORY"];
  return [...(credentials ? [join(credentials, "keybrake-master-key")] : []), "/run/secrets/keybrake-master-key"];
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

function tlsFiles(certFile: string | undefined, keyFile: string | undefined): TlsFiles | undefined {
  if (!certFile && !keyFile) return undefined;
  if (certFile && keyFile) return { certFile, keyFile };
  const [given, missing] = certFile ? ["certificate", "--tls-key"] : ["key", "--tls-cert"];
  throw new Problem("invalid", `there is a TLS ${given} and no ${missing}`, "give both --tls-cert and --tls-key");
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

/** `eur: 1.10`, or with its day `eur: { usd: 1.10, as_of: 2026-11-01 }`. A rate of 0 would make all calls free. */
function readRates(file: ConfigFile): Pick<Config, "currencyRates" | "currencyRateDates"> {
  const section = file.section("currency_rates");
  const rates = new Map<string, Micros>();
  const dates = new Map<string, string>();
  for (const code of section.names()) {
    if (code === "usd" || currencyExponent(code) === undefined) {
      section.fail(code, "under a three-letter currency in lower case other than usd, like eur");
    }
    const dated = section.isSection(code) ? section.section(code) : undefined;
    const rate = dated ? dated.usd("usd") : section.usd(code);
    if (rate === 0n) section.fail(code, "dollars above 0");
    rates.set(code, rate);
    const asOf = dated?.date("as_of");
    if (asOf !== undefined) dates.set(code, asOf);
    dated?.refuseUnknown();
  }
  return { currencyRates: rates, currencyRateDates: dates };
}

/** They are read with line and column, and with prices as they are written: from the text, not from what YAML made of it. */
function readVendors(file: ConfigFile): readonly Vendor[] {
  if (!file.has("vendors")) return VENDORS;
  return [...VENDORS, ...declaredVendors(file.source, file.path, VENDORS)];
}
