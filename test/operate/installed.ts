import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, type Environment, readConfig } from "../../src/config.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { HardStop } from "../../src/core/hard-stop.ts";
import { Problem } from "../../src/core/problem.ts";
import type { Actor, ControlPlane } from "../../src/operate/control-plane.ts";
import { createControlPlane } from "../../src/operate/create-control-plane.ts";
import { type Installation, openInstallation } from "../../src/operate/installation.ts";
import type { ControlPlaneOptions } from "../../src/operate/options.ts";
import { VENDORS } from "../../src/vendors/index.ts";

export const START_MS = Date.UTC(2026, 0, 1);
export const ADMIN: Actor = { role: "admin", tokenId: null, templates: null, maxDailyMicros: null };
export const AUDITOR: Actor = { role: "auditor", tokenId: "tok_auditor", templates: null, maxDailyMicros: null };

export function issuer(limits: Partial<Pick<Actor, "tokenId" | "templates" | "maxDailyMicros">> = {}): Actor {
  return { role: "issuer", tokenId: "tok_issuer", templates: null, maxDailyMicros: null, ...limits };
}

/** A clock that stands still until a test moves it. */
export class TestClock implements Clock {
  nowMs = START_MS;

  now(): number {
    return this.nowMs;
  }

  elapsed(): number {
    return this.nowMs;
  }
}

export interface Installed extends Installation {
  readonly config: Config;
  readonly clock: TestClock;
  readonly options: ControlPlaneOptions;
  readonly control: ControlPlane;
  readonly hardStops: HardStop[];
  close(): Promise<void>;
}

export interface InstalledSetting {
  readonly config?: Partial<Config>;
  readonly environment?: Environment;
}

/** A fresh data directory with a real SQLite store, the built-in templates and a control plane on them. */
export async function install({ config: own = {}, environment = {} }: InstalledSetting = {}): Promise<Installed> {
  const root = mkdtempSync(join(tmpdir(), "keybrake-operate-"));
  const dataDir = join(root, "data");
  const policies = join(dataDir, "policies");
  const config = { ...readConfig({ data: dataDir, policies }, {}), ...own };
  const clock = new TestClock();
  const installation = await openInstallation(config, clock);
  const hardStops: HardStop[] = [];
  const options: ControlPlaneOptions = {
    ...installation,
    clock,
    config,
    vendors: VENDORS,
    environment,
    onHardStop: (stop) => hardStops.push(stop),
    tryAlert: async () => ({ httpStatus: 204, problem: null }),
  };
  return {
    ...installation,
    config,
    clock,
    options,
    control: createControlPlane(options),
    hardStops,
    close: async () => {
      await installation.store.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** The Problem that `action` ends with; anything else, or nothing, fails the test. */
export async function problemOf(action: () => Promise<unknown>): Promise<Problem> {
  try {
    await action();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
