import { statfsSync } from "node:fs";
import { refuseUnsafeEnvironment } from "../config.ts";
import { formatUsd } from "../core/money.ts";
import { Problem } from "../core/problem.ts";
import { lintTemplate } from "../policy/lint.ts";
import { checkFileModes } from "../vault/data-dir.ts";
import { loadMasterKey } from "../vault/master-key.ts";
import { unseal } from "../vault/seal.ts";
import type { FindingView } from "./about.ts";
import { alertTargets } from "./doctor-alerts.ts";
import { auditChain } from "./doctor-audit.ts";
import { budgets } from "./doctor-budgets.ts";
import { currencies } from "./doctor-currencies.ts";
import { prices } from "./doctor-prices.ts";
import { spendSums } from "./doctor-spend.ts";
import { tls } from "./doctor-tls.ts";
import type { ControlPlaneOptions } from "./options.ts";

/** Everything that can be looked at without changing anything; what is wrong comes with how to mend it. */
export async function doctor(options: ControlPlaneOptions): Promise<readonly FindingView[]> {
  const checks: readonly [string, (options: ControlPlaneOptions) => Findings | Promise<Findings>][] = [
    ["files", files],
    ["master key", masterKey],
    ["database", database],
    ["keys", frozenKeys],
    ["counters", counters],
    ["spend", spendSums],
    ["audit chain", auditChain],
    ["vendors", vendors],
    ["templates", templates],
    ["budgets", budgets],
    ["currencies", currencies],
    ["prices", prices],
    ["alerts", alertTargets],
    ["tls", tls],
    ["environment", environment],
    ["clock", clock],
    ["disk", disk],
  ];
  const findings: FindingView[] = [];
  for (const [check, look] of checks) {
    for (const finding of await tried(() => look(options))) findings.push({ check, ...finding });
  }
  return findings;
}

type Finding = Omit<FindingView, "check">;
type Findings = readonly Finding[];

/** A check that cannot be made is itself a finding: the others still are. */
async function tried(look: () => Findings | Promise<Findings>): Promise<Findings> {
  try {
    return await look();
  } catch (cause) {
    const hint = cause instanceof Problem ? (cause.hint ?? null) : null;
    return [{ level: "error", message: (cause as Error).message, hint }];
  }
}

function ok(message: string): Finding {
  return { level: "ok", message, hint: null };
}

function warning(message: string, hint: string): Finding {
  return { level: "warning", message, hint };
}

function error(message: string, hint: string): Finding {
  return { level: "error", message, hint };
}

async function frozenKeys({ store }: ControlPlaneOptions): Promise<Findings> {
  const frozen = await store.frozenSince();
  if (!frozen) return [];
  return [
    error(`no key can spend: the data directory was ${frozen.why}`, "look at the gap with `keybrake restore confirm`"),
  ];
}

function files({ config }: ControlPlaneOptions): Findings {
  const found = checkFileModes(config.dataDir);
  if (found.length === 0) return [ok(`nobody else can reach the files in ${config.dataDir}`)];
  return found.map(({ message, hint }) => error(message, hint));
}

/** The file as it is now, which may be another one than this process has read. */
async function masterKey({ config, store, masterKey: inUse }: ControlPlaneOptions): Promise<Findings> {
  const { dataDir, masterKeyFile: keyFile, masterKeyCandidates: candidates } = config;
  const found = loadMasterKey({ dataDir, keyFile, candidates });
  if (!found.isSameAs(inUse)) {
    return [error(`master key ${found.id} is there, and ${inUse.id} is in use`, "restart, or put the file back")];
  }
  const sealed = (await store.listVendors()).filter(({ sealedSecret }) => sealedSecret);
  for (const { name, sealedSecret, secretId, version } of sealed) {
    unseal(inUse, sealedSecret!, { vendor: name, secretId, version });
  }
  return [ok(`master key ${inUse.id} opens all ${sealed.length} stored secrets`)];
}

/** What durability rests on; `database.ts` asserts it at every start, this says it aloud. */
const WANTED: Readonly<Record<string, string>> = { journal_mode: "wal", synchronous: "2", quick_check: "ok" };

async function database({ store }: ControlPlaneOptions): Promise<Findings> {
  const figures = await store.describe();
  const wrong = Object.entries(WANTED).filter(([name, wanted]) => name in figures && String(figures[name]) !== wanted);
  if (wrong.length > 0) {
    const hint = "put the data directory on a local file system; restore a backup where quick_check fails";
    return wrong.map(([name, wanted]) => error(`${name} is ${figures[name]}; it must be ${wanted}`, hint));
  }
  const { keys = "?", calls = "?", schema_version = "?" } = figures;
  return [ok(`${store.kind} is sound and durable: schema ${schema_version}, ${keys} keys, ${calls} calls`)];
}

async function counters({ store }: ControlPlaneOptions): Promise<Findings> {
  const mismatches = await store.checkCounters();
  if (mismatches.length === 0) return [ok("every budget's counter equals the sum of its calls")];
  return mismatches.map(({ budgetId, counter, rows }) => {
    const unit = /_usd(_cap)?$/.test(budgetId) ? (value: bigint) => `$${formatUsd(value)}` : String;
    return error(
      `the counter of ${budgetId} is ${unit(counter)}, its calls are ${unit(rows)}`,
      "stop what uses that key, and restore a backup: the database was changed by something else than keybrake",
    );
  });
}

async function vendors({ store, vendors: known, config }: ControlPlaneOptions): Promise<Findings> {
  const records = new Map((await store.listVendors()).map((record) => [record.name, record]));
  const asked = known.filter(({ name, declared }) => declared !== "shipped" || records.get(name)?.sealedSecret);
  return asked.map(({ name, title, declared }) => {
    const record = records.get(name);
    if (record?.sealedSecret && record.origin !== null) {
      const where = record.isPrivate ? "a private address" : "another address";
      return warning(
        `${title} is served from ${where}: ${record.origin}`,
        "fine for a regional host or a test double; agents' calls and the secret go there",
      );
    }
    if (record?.sealedSecret) return ok(`${title} has a secret`);
    if (config.sandbox && !declared) return ok(`${title} has no secret, and the sandbox stands in for it`);
    return warning(
      `${title} has no secret: its calls are answered 503, unless the server runs with --sandbox`,
      `keybrake vendor set ${name}`,
    );
  });
}

function templates({ templates: set, vendors: known, config }: ControlPlaneOptions): Findings {
  const broken = set.problems().map(({ message, lastGoodInUse }) => {
    const now = lastGoodInUse ? "; its last good version is in use" : "";
    return error(`${message}${now}`, "`keybrake policy lint` shows every error");
  });
  const all = set.all();
  const odd = all.flatMap(({ name, text }) =>
    lintTemplate(text, `${name}.yaml`, known, config.currencyRates).map(
      ({ fileName, line, column, severity, message }) => {
        const say = severity === "error" ? error : warning;
        return say(`${fileName}:${line}:${column}: ${message}`, "mend the file; keys that are out keep their policy");
      },
    ),
  );
  if (broken.length + odd.length > 0) return [...broken, ...odd];
  return [ok(`${all.length} templates in ${set.directory}, nothing to mend`)];
}

function environment({ environment: variables }: ControlPlaneOptions): Findings {
  refuseUnsafeEnvironment(variables);
  return [ok("no environment variable opens another way for secrets")];
}

/** No earlier than this code was written; no later than a mistaken RTC would say. */
const CLOCK_MIN_MS = Date.UTC(2026, 0, 1);
const CLOCK_MAX_MS = Date.UTC(2100, 0, 1);
const CLOCK_STEP_MS = 60_000;

async function clock({ clock: source, store }: ControlPlaneOptions): Promise<Findings> {
  const now = source.now();
  const time = new Date(now).toISOString();
  if (now < CLOCK_MIN_MS || now > CLOCK_MAX_MS) {
    return [error(`the clock says ${time}`, "set it: caps reset and keys expire by it")];
  }
  const [newest] = (await store.queryAudit({}, { limit: 1 })).rows;
  if (newest && newest.calledAt > now + CLOCK_STEP_MS) {
    const last = new Date(newest.calledAt).toISOString();
    const hint = "check the machine's time service; until then keys live on in the ledger's own, later time";
    return [warning(`the clock says ${time}, and the newest call is of ${last}: it was set back`, hint)];
  }
  return [ok(`the clock says ${time}`)];
}

const DISK_ERROR_BYTES = 100 * 1024 * 1024;
const DISK_WARNING_BYTES = 1024 * 1024 * 1024;

function disk({ config }: ControlPlaneOptions): Findings {
  const { bavail, bsize } = statfsSync(config.dataDir);
  const freeBytes = bavail * bsize;
  const free = `${Math.floor(freeBytes / (1024 * 1024))} MB are free for ${config.dataDir}`;
  const hint = "free some space: calls are refused when a row cannot be written";
  if (freeBytes < DISK_ERROR_BYTES) return [error(free, hint)];
  return [freeBytes < DISK_WARNING_BYTES ? warning(free, hint) : ok(free)];
}
