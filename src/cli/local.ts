import type { Command } from "commander";
import { alertTrier } from "../alerts/try-target.ts";
import { type Config, readConfig } from "../config.ts";
import { isRemote, readRemote } from "../config-remote.ts";
import { Problem } from "../core/problem.ts";
import type { ControlPlane } from "../operate/control-plane.ts";
import { createControlPlane } from "../operate/create-control-plane.ts";
import { openInstallation } from "../operate/installation.ts";
import { Reach } from "../proxy/reach.ts";
import { SANDBOX_ACCOUNT_IDS } from "../sandbox/sandbox.ts";
import { type Cli, globalFlags, type OpenControl } from "./cli.ts";
import { type RescuedConfig, rescueConfig } from "./config-rescue.ts";

/**
 * The control plane on the data directory itself. A server that runs there honours every change on its next call, so that
 * the operator needs neither a token nor the server to be up.
 */
export async function openLocalControl(
  config: Config,
  { clock: ownClock, environment }: Pick<Cli, "clock" | "environment">,
  note?: (text: string) => void,
): Promise<OpenControl> {
  const installation = await openInstallation(config, ownClock, note);
  const { store, clock, masterKey, chainKey, templates, budgets, dataDir } = installation;
  const reach = new Reach(clock);
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
    tryAlert: alertTrier({ clock, environment, isPublic: (url) => reach.isPublic(url) }),
    // No call is in flight in this process; the servers that have some read the stop in the store.
    onHardStop: () => {},
  });
  return { control, place: `data directory ${dataDir}`, close: () => store.close() };
}

export interface WithControlOptions {
  /** True leaves the place unsaid, for output that is nothing but the answer. */
  readonly quiet?: boolean | undefined;
  /**
   * What becomes of a `keybrake.yaml` that is broken: it keeps the command from running (the default), or its broken
   * settings are left out, which is for what must work in an emergency. Then it is a warning, or for `work` to say.
   */
  readonly ifBroken?: "refuse" | "warn" | "tell";
}

/**
 * Opens the control plane that the environment and the flags of `command` name, a server's or that of the data directory,
 * says where it is, runs `work`, and closes it again.
 */
export async function withControl<Result>(
  cli: Cli,
  command: Command,
  work: (control: ControlPlane, leftOut: readonly string[]) => Promise<Result>,
  options: WithControlOptions = {},
): Promise<Result> {
  const remote = readRemote(cli.environment);
  if (remote === undefined) {
    return withLocalControl(cli, command, (control, _, leftOut) => work(control, leftOut), options);
  }
  refuseLocalFlags(command);
  return within(await cli.openRemote(remote), cli, options, (control) => work(control, []));
}

/** The same for what a server's own machine alone can do. Whoever uses it refuses another server (`refuseRemote`). */
export async function withLocalControl<Result>(
  cli: Cli,
  command: Command,
  work: (control: ControlPlane, config: Config, leftOut: readonly string[]) => Promise<Result>,
  options: WithControlOptions = {},
): Promise<Result> {
  const { ifBroken = "refuse" } = options;
  const { config, leftOut }: RescuedConfig =
    ifBroken === "refuse"
      ? { config: readConfig(globalFlags(command), cli.environment), leftOut: [] }
      : rescueConfig(globalFlags(command), cli.environment);
  if (ifBroken === "warn") for (const each of leftOut) cli.voice.warn(`${each}; this command goes on without it`);
  return within(await cli.openControl(config), cli, options, (control) => work(control, config, leftOut));
}

async function within<Result>(
  { control, place, close }: OpenControl,
  cli: Cli,
  { quiet = false }: WithControlOptions,
  work: (control: ControlPlane) => Promise<Result>,
): Promise<Result> {
  try {
    if (!quiet) cli.voice.note(place);
    return await work(control);
  } finally {
    await close();
  }
}

/** Who gives one of them means this machine; to do it elsewhere would be worse than to refuse. */
function refuseLocalFlags(command: Command): void {
  const given = Object.entries(globalFlags(command)).find(([, value]) => value !== undefined);
  if (given === undefined) return;
  throw new Problem(
    "usage",
    `--${given[0]} is given, which is of this machine, and KEYBRAKE_URL names a server`,
    "leave it out, or run this with KEYBRAKE_URL unset",
  );
}

/** For what works on this machine and would mislead where the operator has named a server. `why` is the rest of a sentence. */
export function refuseRemote({ environment }: Pick<Cli, "environment">, why: string): void {
  if (!isRemote(environment)) return;
  throw new Problem(
    "usage",
    `KEYBRAKE_URL is set, and ${why}`,
    "run it on the server's machine, or with KEYBRAKE_URL unset: env -u KEYBRAKE_URL keybrake …",
  );
}

/** For what is reckoned from this machine's files in any case: with a server named, that is said. */
export function noteLocal({ environment, voice }: Pick<Cli, "environment" | "voice">, what: string): void {
  if (isRemote(environment)) voice.note(`${what} of this machine; the server of KEYBRAKE_URL is not asked`);
}
