import type { Command } from "commander";
import { type Config, readConfig } from "../config.ts";
import { Problem } from "../core/problem.ts";
import type { ControlPlane } from "../operate/control-plane.ts";
import { createControlPlane } from "../operate/create-control-plane.ts";
import { openInstallation } from "../operate/installation.ts";
import { SANDBOX_ACCOUNT_IDS } from "../sandbox/sandbox.ts";
import { type Cli, globalFlags, type OpenControl } from "./cli.ts";
import { type RescuedConfig, rescueConfig } from "./config-rescue.ts";

/**
 * The control plane on the data directory itself. A server that runs there honours every change on its next call, so that
 * the operator needs neither a token nor the server to be up.
 */
export async function openLocalControl(
  config: Config,
  { clock, environment }: Pick<Cli, "clock" | "environment">,
): Promise<OpenControl> {
  const { store, masterKey, chainKey, templates, budgets, dataDir } = await openInstallation(config, clock);
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
    // No call is in flight in this process; the servers that have some read the stop in the store.
    onHardStop: () => {},
  });
  return { control, dataDir, close: () => store.close() };
}

export interface WithControlOptions {
  /** True leaves the data directory unsaid, for output that is nothing but the answer. */
  readonly quiet?: boolean | undefined;
  /**
   * What becomes of a `keybrake.yaml` that is broken: it keeps the command from running (the default), or its broken
   * settings are left out, which is for what must work in an emergency. Then it is a warning, or for `work` to say.
   */
  readonly ifBroken?: "refuse" | "warn" | "tell";
}

/** Opens the control plane that the flags of `command` name, says where it is, runs `work`, and closes it again. */
export async function withControl<Result>(
  cli: Cli,
  command: Command,
  work: (control: ControlPlane, config: Config, leftOut: readonly string[]) => Promise<Result>,
  { quiet = false, ifBroken = "refuse" }: WithControlOptions = {},
): Promise<Result> {
  const { config, leftOut }: RescuedConfig =
    ifBroken === "refuse"
      ? { config: readConfig(globalFlags(command), cli.environment), leftOut: [] }
      : rescueConfig(globalFlags(command), cli.environment);
  refuseRemote(config);
  if (ifBroken === "warn") for (const each of leftOut) cli.voice.warn(`${each}; this command goes on without it`);
  const { control, dataDir, close } = await cli.openControl(config);
  try {
    if (!quiet) cli.voice.note(`data directory ${dataDir}`);
    return await work(control, config, leftOut);
  } finally {
    await close();
  }
}

/** A revoke that reaches another place than the operator means would be worse than none. */
export function refuseRemote({ remote }: Config): void {
  if (remote === undefined) return;
  throw new Problem(
    "usage",
    `KEYBRAKE_URL is set to ${remote.url}, and this command works on the local data directory only`,
    "run it on the server's machine with KEYBRAKE_URL unset, or use that server's control API",
  );
}
