import type { Database } from "bun:sqlite";
import { drizzle } from "drizzle-orm/bun-sqlite";
import { timeOrderedId } from "../../../src/core/id.ts";
import type { EpochMs } from "../../../src/core/window.ts";
import { SqliteKeys } from "../../../src/store/sqlite/keys.ts";
import { mintVaultKey } from "../../../src/vault/vault-key.ts";
import type { Random } from "../../random.ts";
import type { Run } from "./call-history.ts";
import type { CallKind } from "./call-kinds.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How long the key of a run lives. */
const RUN_MS = 2 * HOUR_MS;
/** Of the keys, those of agents that run all the time; the others belong to one run each. */
const LASTING_SHARE = 1 / 200;
/** Of the calls, those of such agents. */
const LASTING_CALLS = 0.2;

const VENDORS: readonly CallKind["vendor"][] = ["stripe", "stripe", "stripe", "twilio", "resend"];
const ENDPOINTS = {
  stripe: ["POST /v1/payment_intents", "POST /v1/refunds", "GET /v1/customers/*"],
  twilio: ["POST /2010-04-01/Accounts/*/Messages.json"],
  resend: ["POST /emails"],
} as const;

/** Vault keys as they are issued over time: a few for good, then one for each run. */
export class KeySchedule {
  readonly #keys: SqliteKeys;
  readonly #random: Random;
  readonly #lasting: Run[] = [];
  readonly #runs: Run[] = [];
  readonly #lastingCount: number;
  readonly #intervalMs: number;
  readonly #startMs: EpochMs;

  constructor(database: Database, random: Random, time: { startMs: EpochMs; endMs: EpochMs }, count: number) {
    this.#keys = new SqliteKeys(drizzle(database));
    this.#random = random;
    this.#startMs = time.startMs;
    this.#lastingCount = Math.max(1, Math.round(count * LASTING_SHARE));
    this.#intervalMs = (time.endMs - time.startMs) / Math.max(1, count - this.#lastingCount);
  }

  /** Issues what is due by `now`, and gives the run that the next call belongs to. */
  runAt(now: EpochMs): Run {
    while (this.#lasting.length < this.#lastingCount) {
      this.#lasting.push(this.#issue(`agent-${this.#lasting.length}`, now, 60 * DAY_MS));
    }
    while (this.#startMs + this.#runs.length * this.#intervalMs <= now) {
      const number = this.#runs.length;
      this.#runs.push(this.#issue(`tenant:${number % 400}:billing:run-${number}`, now, RUN_MS));
    }
    if (this.#random() < LASTING_CALLS) return this.#pick(this.#lasting, 0);
    const alive = Math.ceil(RUN_MS / this.#intervalMs);
    return this.#pick(this.#runs, Math.max(0, this.#runs.length - alive));
  }

  /** A run of its own for calls that are looked up later. */
  issueRun(label: string, now: EpochMs): Run {
    return this.#issue(label, now, 60 * DAY_MS, "stripe");
  }

  #pick(runs: readonly Run[], from: number): Run {
    return runs[from + Math.floor(this.#random() * (runs.length - from))]!;
  }

  #issue(label: string, now: EpochMs, lifeMs: number, only?: Run["vendor"]): Run {
    const vendor = only ?? VENDORS[Math.floor(this.#random() * VENDORS.length)]!;
    const run: Run = {
      keyId: timeOrderedId("vk", now),
      label,
      vendor,
      agentName: `${vendor}-agent`,
      metadata: JSON.stringify({ tenant: label.split(":")[1] ?? "none" }),
    };
    const { hash, hint } = mintVaultKey();
    const policy = { vendor, daily_usd_cap: "500.00", allowed_endpoints: ENDPOINTS[vendor], expires_in: "2h" };
    const never = { revokedAt: null, revokeReason: null, autoRevoked: null, template: null, issuedBy: null };
    const metadata = JSON.parse(run.metadata) as Record<string, string>;
    const who = { id: run.keyId, tokenHash: hash, hint, vendors: [vendor], label, agentName: run.agentName, metadata };
    const key = { ...who, ...never, policy, version: 1, createdAt: now, expiresAt: now + lifeMs };
    this.#keys.insertAll([{ key, uniqueLabel: false }]);
    return run;
  }
}
