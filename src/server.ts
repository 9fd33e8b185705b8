import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { startAutoRevoke } from "./alerts/auto-revoke-upkeep.ts";
import { alertTrier } from "./alerts/try-target.ts";
import { AlertUpkeep, startAlertUpkeep } from "./alerts/upkeep.ts";
import { createApi } from "./api/api.ts";
import { guarded } from "./api/response-headers.ts";
import { type Config, type Environment, isLoopback, type Listen, refuseUnsafeEnvironment } from "./config.ts";
import type { Clock } from "./core/clock.ts";
import { concerns } from "./core/hard-stop.ts";
import { Problem } from "./core/problem.ts";
import { BATCHER_DEFAULTS, LedgerBatcher } from "./ledger/batch.ts";
import { type Control, type Listening, type ListenOptions, listen } from "./listen.ts";
import { causeText, type Log } from "./log.ts";
import { startAuditUpkeep } from "./operate/audit-upkeep.ts";
import { sharedCapsNow } from "./operate/budgets-above.ts";
import { createControlPlane } from "./operate/create-control-plane.ts";
import { firstToken } from "./operate/first-token.ts";
import { type Installation, openInstallation } from "./operate/installation.ts";
import { logAlerts } from "./operate/log-alerts.ts";
import { assertMasterKey } from "./operate/rekey.ts";
import { startSpendUpkeep } from "./operate/spend-upkeep.ts";
import { guardStore, StoreWatch, startStoreWatch } from "./operate/store-watch.ts";
import { readTlsPair, type TlsPair } from "./operate/tls-pair.ts";
import { stampOf, startTlsWatch, TlsWatch } from "./operate/tls-watch.ts";
import { readBeside } from "./policy/read-beside.ts";
import { BudgetDesk } from "./proxy/budget-desk.ts";
import type { DataPlane } from "./proxy/data-plane.ts";
import { startHardStops } from "./proxy/hard-stops.ts";
import { InFlight } from "./proxy/in-flight.ts";
import { KeyRing } from "./proxy/key-ring.ts";
import { type OpenFilesShare, openFilesMax, shareOpenFiles } from "./proxy/open-files.ts";
import { type OpenListeners, processReader } from "./proxy/process-reading.ts";
import { Reach } from "./proxy/reach.ts";
import { startReconciler } from "./proxy/reconciler.ts";
import { drain, startUpkeep } from "./proxy/upkeep.ts";
import { type SandboxSetup, VendorDesk } from "./proxy/vendor-desk.ts";
import { SANDBOX_ACCOUNT_IDS, type Sandbox, startSandbox } from "./sandbox/sandbox.ts";
import { storeFile } from "./store/open.ts";
import { StoreProbe } from "./store/store-probe.ts";
import type { CallListener } from "./telemetry/call-report.ts";
import { Metrics } from "./telemetry/metrics.ts";
import { startObservers } from "./telemetry/observers.ts";
import { Tallies } from "./telemetry/tallies.ts";
import { AnswerBox } from "./vault/answer-box.ts";

export interface ServerOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly environment: Environment;
  /** Told right before calls can come in: from then on the server has to be stopped, and not just ended. */
  readonly onListening?: () => void;
}

export interface RunningServer {
  /** Where agents reach the proxy. */
  readonly url: string;
  /** Where operators reach the control plane. */
  readonly adminUrl: string;
  readonly dataDir: string;
  /** An admin token in clear, only at the very first start; it is kept nowhere. */
  readonly firstAdminToken: string | undefined;
  readonly sandboxVendors: readonly string[];
  readonly unconfiguredVendors: readonly string[];
  /**
   * Answers new calls 503, lets running ones finish for a bounded time, writes what is left, and closes. Asked again while
   * it does so, it waits no longer: what still runs is aborted and becomes unresolved.
   */
  stop(): Promise<void>;
}

/** The composition root: config → store → vendors → planes → listen. What was opened is closed again where a step fails. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { config, environment } = options;
  refuseUnsafeEnvironment(environment);
  refuseOpenBind(config.listen, config);
  if (config.adminListen) refuseOpenBind(config.adminListen, config);
  const opened: Closer[] = [];
  try {
    return await compose(options, opened);
  } catch (cause) {
    await closeAll(opened);
    throw cause;
  }
}

type Closer = () => unknown;

async function closeAll(opened: Closer[]): Promise<void> {
  for (const close of opened.splice(0).reverse()) await close();
}

async function compose(given: ServerOptions, opened: Closer[]): Promise<RunningServer> {
  const note = (text: string) => given.log.info("master_key", { text });
  const installation = watched(await openInstallation(given.config, given.clock, note), given, opened);
  const options = { ...given, clock: installation.clock };
  const { config, clock, log, environment } = options;
  const { store, masterKey, chainKey, templates, budgets } = installation;
  const sandbox = config.sandbox ? await startSandbox({ clock }) : undefined;
  opened.push(() => sandbox?.stop());
  const files = shareOpenFiles(openFilesMax(), config.limits.concurrentCallsMax);
  const owner = `${hostname()}:${process.pid}:${randomBytes(4).toString("hex")}`;
  const reach = new Reach(clock);
  const isPublic = (url: string) => reach.isPublic(url);
  budgets.readBeside(readBeside);
  const sharedCaps = sharedCapsNow(budgets, config.currencyRates);
  const alerts = new AlertUpkeep({ store, clock, log, config, environment, isPublic, sharedCaps, server: owner });
  const degraded = (cause: string) => alerts.degraded(cause);
  const observers = await startObservers({ ...options, server: owner });
  opened.push(() => observers.stop());
  const { listeners: told } = observers;
  const plane = await createDataPlane(options, installation, sandbox, { ...files, owner, reach, degraded, told });
  const control = createControlPlane({
    store,
    clock,
    config,
    masterKey,
    chainKey,
    vendors: config.vendors,
    templates,
    budgets,
    environment,
    sandboxAccountIds: SANDBOX_ACCOUNT_IDS,
    tryAlert: alertTrier({ clock, environment, isPublic }),
    onHardStop: (stop) => {
      const aborted = plane.inFlight.abort((call) => concerns(stop, call));
      if (aborted > 0) log.info("calls_aborted", { count: aborted });
    },
  });
  const probe = new StoreProbe(store, clock);
  const listeners: OpenListeners = {};
  const reading = processReader(plane, listeners, observers.spans);
  const measured = { rates: config.currencyRates, tallies: plane.tallies, process: reading };
  const metrics = new Metrics({ store, probe, clock, log, budgets, ...measured });
  const ending = new AbortController();
  const stops = ending.signal;
  const api = createApi({ control, store, clock, config, masterKey, log, probe, metrics, stops });
  opened.push(await startUpkeep(plane));
  await assertMasterKey(store, masterKey);
  opened.push(await startHardStops(plane));
  opened.push(startReconciler(plane));
  opened.push(startAutoRevoke({ store, clock, log }));
  opened.push(startAlertUpkeep(alerts, config.alerts.targets));
  opened.push(startSpendUpkeep({ store, clock, log }));
  opened.push(await startAuditUpkeep({ store, clock, log, config, chainKey }));
  const answer: Control = async (request, socketAddress) =>
    plane.draining && asksReadiness(request) ? stoppingAnswer() : api.handle(request, socketAddress);
  const { main, admin } = await openAddresses({ ...options, ...files }, plane, answer, opened);
  listeners.main = main.connections;
  if (admin) listeners.admin = admin.connections;
  return {
    url: main.url,
    adminUrl: admin?.url ?? main.url,
    dataDir: installation.dataDir,
    firstAdminToken: await firstToken(control),
    sandboxVendors: plane.vendors.all.filter((setup) => setup.sandbox).map((setup) => setup.vendor.name),
    unconfiguredVendors: plane.vendors.all
      .filter(({ secret, vendor }) => !secret && vendor.declared !== "shipped")
      .map(({ vendor }) => vendor.name),
    stop: stopping(plane, config.limits.drainTimeoutMs, opened, ending),
  };
}

/** Where agents come in, and where operators do that have an address of their own; with a certificate that is renewed. */
async function openAddresses(
  options: ListenOptions & Pick<ServerOptions, "onListening">,
  plane: DataPlane,
  control: Control,
  opened: Closer[],
): Promise<{ readonly main: Listening; readonly admin: Listening | undefined }> {
  const { config, clock, log } = options;
  const stamp = config.tls && stampOf(config.tls);
  const tls = config.tls && readTlsPair(config.tls, clock.now());
  options.onListening?.();
  const main = await listen(options, config.listen, { plane, control: config.adminListen ? undefined : control }, tls);
  opened.push(() => main.close());
  const admin = config.adminListen && (await listen(options, config.adminListen, { plane: undefined, control }, tls));
  opened.push(() => admin?.close());
  if (config.tls && tls && stamp) {
    const renew = async (pair: TlsPair) => {
      await main.renew(pair);
      await admin?.renew(pair);
    };
    opened.push(startTlsWatch(new TlsWatch({ files: config.tls, clock, log, renew }, tls, stamp)));
  }
  return { main, admin };
}

/** @param ending is aborted at once, for answers that would last for as long as their client wants. */
function stopping(plane: DataPlane, timeoutMs: number, opened: Closer[], ending: AbortController): () => Promise<void> {
  const hurry = new AbortController();
  let stopped: Promise<void> | undefined;
  return () => {
    if (stopped) hurry.abort();
    ending.abort();
    stopped ??= drain(plane, timeoutMs, hurry.signal).then(() => closeAll(opened));
    return stopped;
  };
}

/** A balancer that asks is to send its calls elsewhere from the first moment of a drain. */
function asksReadiness(request: Request): boolean {
  return new URL(request.url).pathname === "/readyz";
}

function stoppingAnswer(): Response {
  const message = "the server is stopping and takes no new calls";
  const headers = { "retry-after": "2" };
  return guarded(Response.json({ error: { code: "unavailable", message }, message }, { status: 503, headers }));
}

/** With a store that refuses to be used while its file is not the one that was opened; closed at the end in any case. */
function watched(installation: Installation, { config, log }: ServerOptions, opened: Closer[]): Installation {
  const { store, dataDir } = installation;
  opened.push(() => store.close());
  const file = storeFile(config.storeUrl, dataDir);
  if (file === undefined) return installation;
  const watch = new StoreWatch(file, log);
  opened.push(startStoreWatch(watch));
  return { ...installation, store: guardStore(store, watch) };
}

/** What the planes of one process have in common. */
interface ProcessFacts extends OpenFilesShare {
  /** Tells this process's holds from others'. */
  readonly owner: string;
  readonly reach: Reach;
  /** Says that the store does not do its work. */
  readonly degraded: (cause: string) => void;
  /** Who is told of every call. */
  readonly told: readonly CallListener[];
}

async function createDataPlane(
  { config, clock, log }: ServerOptions,
  { store, masterKey, budgets }: Installation,
  sandbox: Sandbox | undefined,
  { concurrentCallsMax, owner, reach, degraded, told }: ProcessFacts,
): Promise<DataPlane> {
  const vendors = new VendorDesk(store, {
    vendors: config.vendors,
    masterKey,
    pricingOf: (name) => ({ currencyRates: config.currencyRates, prices: config.prices.get(name) ?? new Map() }),
    sandbox: sandboxSetups(sandbox),
  });
  await vendors.reload();
  const tallies = new Tallies(config.vendors.map(({ name }) => name));
  const onCommit = (entries: number, durationMs: number) => tallies.committed(entries, durationMs);
  const onFailure = (cause: unknown) => {
    tallies.commitFailed();
    log.error("commit_failed", { cause: causeText(cause) });
    degraded(causeText(cause));
  };
  return {
    clock,
    log,
    store,
    ledger: new LedgerBatcher(store, clock, { ...BATCHER_DEFAULTS, onFailure, onCommit }),
    tallies,
    listeners: told,
    keys: new KeyRing(store, config.currencyRates),
    budgets: new BudgetDesk({ set: budgets, rates: config.currencyRates, log }),
    vendors,
    alerts: logAlerts(log),
    answers: new AnswerBox(masterKey),
    inFlight: new InFlight(),
    reach,
    limits: { ...config.limits, concurrentCallsMax },
    publicUrl: config.publicUrl,
    owner,
    draining: false,
    unknownKeyCalls: 0,
  };
}

function sandboxSetups(sandbox: Sandbox | undefined): ReadonlyMap<string, SandboxSetup> {
  if (!sandbox) return new Map();
  const { origins, credentials } = sandbox;
  const { accountSid, authToken } = credentials.twilio;
  return new Map([
    ["stripe", { origin: origins.stripe, secret: credentials.stripe, accountId: "" }],
    ["twilio", { origin: origins.twilio, secret: authToken, accountId: accountSid }],
    ["resend", { origin: origins.resend, secret: credentials.resend, accountId: "" }],
  ]);
}

/** Plain HTTP carries vault keys and tokens in clear: beyond this machine only with TLS, or behind what adds it. */
function refuseOpenBind({ host, port }: Listen, config: Config): void {
  if (isLoopback(host) || config.tls || config.behindTlsProxy) return;
  throw new Problem(
    "invalid",
    `${host}:${port} is reachable from other machines and would take vault keys without TLS`,
    "give --tls-cert and --tls-key, say --behind-tls-proxy where a TLS proxy stands in front, or listen on 127.0.0.1",
  );
}
