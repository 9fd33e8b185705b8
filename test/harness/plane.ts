import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../src/core/clock.ts";
import { timeOrderedId } from "../../src/core/id.ts";
import type { Micros } from "../../src/core/money.ts";
import { Secret } from "../../src/core/secret.ts";
import { BATCHER_DEFAULTS, LedgerBatcher } from "../../src/ledger/batch.ts";
import { jsonLog } from "../../src/log.ts";
import { logAlerts } from "../../src/operate/log-alerts.ts";
import type { TlsPair } from "../../src/operate/tls-pair.ts";
import { BudgetSet } from "../../src/policy/budget-set.ts";
import { validatePolicy } from "../../src/policy/validate.ts";
import { vendorsOf } from "../../src/policy/vendor-policies.ts";
import { BudgetDesk } from "../../src/proxy/budget-desk.ts";
import { Connections } from "../../src/proxy/connections.ts";
import type { DataPlane, ProxyLimits } from "../../src/proxy/data-plane.ts";
import { InFlight } from "../../src/proxy/in-flight.ts";
import { KeyRing } from "../../src/proxy/key-ring.ts";
import { createListener, listenOn } from "../../src/proxy/listener.ts";
import { handleCall } from "../../src/proxy/pipeline.ts";
import { Reach, type Resolve } from "../../src/proxy/reach.ts";
import { VendorDesk } from "../../src/proxy/vendor-desk.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Store } from "../../src/store/store.ts";
import type { CallListener } from "../../src/telemetry/call-report.ts";
import { Tallies } from "../../src/telemetry/tallies.ts";
import { AnswerBox } from "../../src/vault/answer-box.ts";
import { createMasterKey } from "../../src/vault/master-key.ts";
import { seal } from "../../src/vault/seal.ts";
import { mintVaultKey } from "../../src/vault/vault-key.ts";
import { VENDORS } from "../../src/vendors/index.ts";
import type { Vendor } from "../../src/vendors/vendor.ts";

export const START = Date.UTC(2026, 0, 15, 12);
export const ACCOUNT_SID = `AC${"0123456789abcdef".repeat(2)}`;

/** The secrets of the doubles, by vendor. */
export const DOUBLE_SECRETS = {
  stripe: "sk_test_double_real_secret_42",
  twilio: "0123456789double0auth0token00042",
  resend: "re_double_real_secret_42",
};

/** The secret of any double. */
export function doubleSecret(vendor: string): string {
  return (DOUBLE_SECRETS as Readonly<Record<string, string>>)[vendor] ?? `${vendor}_double_real_secret_42`;
}

/** Time stands still until a test moves it. Durations are real, since nothing is decided by them. */
export interface HandClock extends Clock {
  set(now: number): void;
  advance(durationMs: number): void;
}

export function handClock(start = START): HandClock {
  let now = start;
  return {
    now: () => now,
    elapsed: () => performance.now(),
    set: (to) => {
      now = to;
    },
    advance: (durationMs) => {
      now += durationMs;
    },
  };
}

export interface TestKey {
  readonly id: string;
  readonly token: string;
}

export interface TestPlane {
  readonly url: string;
  readonly port: number;
  readonly plane: DataPlane;
  readonly store: Store;
  readonly clock: HandClock;
  readonly logged: string[];
  /** Where `budgets.yaml` is, or would be. */
  readonly policiesDir: string;
  issue(policy: Record<string, unknown>, extra?: { label?: string; expiresAt?: number }): Promise<TestKey>;
  stop(): Promise<void>;
}

export interface PlaneOptions {
  /** Origin of the double, by vendor; a vendor that is missing has no secret. */
  readonly origins: Readonly<Record<string, string>>;
  /** Default: Keybrake's own. */
  readonly vendors?: readonly Vendor[];
  readonly limits?: Partial<ProxyLimits>;
  readonly bodyTimeoutMs?: number;
  readonly resolve?: Resolve;
  readonly currencyRates?: ReadonlyMap<string, Micros>;
  readonly listeners?: readonly CallListener[];
  readonly tls?: TlsPair;
}

/** The data plane as the server composes it, in this process, on a store of its own and with a clock in the test's hand. */
export async function startPlane(options: PlaneOptions): Promise<TestPlane> {
  const dir = mkdtempSync(join(tmpdir(), "keybrake-plane-"));
  const clock = handClock();
  const store = openSqliteStore(join(dir, "keybrake.db"), clock.now());
  const masterKey = createMasterKey({ dataDir: dir, candidates: [] });
  for (const [vendor, origin] of Object.entries(options.origins)) {
    const secret = new Secret(doubleSecret(vendor));
    const binding = { vendor, secretId: "sec_1", version: 1 };
    const accountId = vendor === "twilio" ? ACCOUNT_SID : "";
    const sealedSecret = seal(masterKey, secret, binding);
    const settings = { name: vendor, accountId, username: "", origin, isPrivate: true, sealedSecret };
    await store.putVendor({ ...settings, secretId: "sec_1", version: 1, updatedAt: clock.now() });
  }
  const logged: string[] = [];
  const plane = await composePlane(store, clock, options, logged, { masterKey, policiesDir: dir });
  const names = new Set((options.vendors ?? VENDORS).map(({ name }) => name));
  const server = createListener({
    clock,
    tls: options.tls,
    log: plane.log,
    connections: new Connections(1_000),
    bodyTimeoutMs: options.bodyTimeoutMs ?? 5_000,
    usualBodyBytesMax: plane.limits.bodyBytesMax,
    bodyBytesMax: () => plane.limits.bodyBytesMax,
    onCall: (call) => handleCall(plane, call, names),
  });
  const port = await listenOn(server, "127.0.0.1", 0);
  Object.assign(plane, { publicUrl: `${options.tls ? "https" : "http"}://127.0.0.1:${port}` });
  return {
    url: `${options.tls ? "https" : "http"}://127.0.0.1:${port}`,
    port,
    plane,
    store,
    clock,
    logged,
    policiesDir: dir,
    issue: (policy, extra) => issue(store, clock, policy, extra),
    stop: async () => {
      await plane.ledger.drain();
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
      await store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function composePlane(
  store: Store,
  clock: Clock,
  options: PlaneOptions,
  logged: string[],
  { masterKey, policiesDir }: { masterKey: ReturnType<typeof createMasterKey>; policiesDir: string },
): Promise<DataPlane> {
  const currencyRates = options.currencyRates ?? new Map();
  const pricingOf = () => ({ currencyRates, prices: new Map() });
  const vendors = new VendorDesk(store, {
    vendors: options.vendors ?? VENDORS,
    masterKey,
    pricingOf,
    sandbox: new Map(),
  });
  await vendors.reload();
  const names = (options.vendors ?? VENDORS).map(({ name }) => name);
  const log = jsonLog(clock.now, (line) => logged.push(line));
  const onFailure = (cause: unknown) => log.error("commit_failed", { cause: String(cause) });
  return {
    clock,
    log,
    store,
    ledger: new LedgerBatcher(store, clock, { ...BATCHER_DEFAULTS, onFailure }),
    tallies: new Tallies(names),
    listeners: options.listeners ?? [],
    keys: new KeyRing(store, currencyRates),
    budgets: new BudgetDesk({ set: new BudgetSet(policiesDir, names), rates: currencyRates, log }),
    vendors,
    alerts: logAlerts(log),
    answers: new AnswerBox(masterKey),
    inFlight: new InFlight(),
    reach: new Reach(clock, options.resolve),
    limits: {
      bodyBytesMax: 1024 * 1024,
      answerBytesMax: 4 * 1024 * 1024,
      upstreamTimeoutMs: 2_000,
      concurrentCallsMax: 1_000,
      concurrentCallsPerKeyMax: 1_000,
      ...options.limits,
    },
    publicUrl: "",
    owner: "test:1",
    draining: false,
    unknownKeyCalls: 0,
  };
}

async function issue(
  store: Store,
  clock: Clock,
  policy: Record<string, unknown>,
  extra: { label?: string; expiresAt?: number } = {},
): Promise<TestKey> {
  const one = policy["vendors"] === undefined ? { vendor: "stripe", allowed_endpoints: ["* /**"] } : {};
  const checked = validatePolicy({ ...one, ...policy });
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
  const { token, hash, hint } = mintVaultKey();
  const id = timeOrderedId("vk", clock.now());
  const key = {
    id,
    tokenHash: hash,
    hint,
    vendors: vendorsOf(checked.policy),
    label: extra.label ?? "test/1",
    agentName: null,
    template: null,
    policy: checked.policy,
    version: 1,
    createdAt: clock.now(),
    expiresAt: extra.expiresAt ?? clock.now() + 3_600_000,
    revokedAt: null,
    revokeReason: null,
    autoRevoked: null,
    metadata: {},
    issuedBy: null,
  };
  await store.insertKey(key, false);
  return { id, token: token.reveal() };
}
