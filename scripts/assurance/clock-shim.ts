import { BINARY } from "../../test/harness/keybrake.ts";
import { compileShim } from "./shim.ts";

/** Gives a server a clock that is wrong (clock-shim.c). */
export interface ClockShim {
  /** What a server has to be started with whose clock is this much ahead, or behind where it is negative. */
  environment(aheadSeconds: number): Readonly<Record<string, string>>;
  remove(): void;
}

/** A process takes its time to start. */
const START_SECONDS_MAX = 30;
const TRIED_SECONDS = 3_600;

/** @throws where the binary's clock stays as it is. */
export function makeClockShim(): ClockShim {
  const { library, remove } = compileShim("clock-shim");
  const environment = (aheadSeconds: number) => ({
    LD_PRELOAD: library,
    ASSURANCE_CLOCK_AHEAD_S: String(aheadSeconds),
  });
  const { stdout } = Bun.spawnSync([BINARY, "-e", "console.log(Date.now())"], {
    env: { ...environment(TRIED_SECONDS), BUN_BE_BUN: "1" },
  });
  const aheadSeconds = (Number(stdout.toString()) - Date.now()) / 1_000;
  if (!(Math.abs(aheadSeconds - TRIED_SECONDS) < START_SECONDS_MAX)) {
    remove();
    throw new Error(`LD_PRELOAD has no effect on the clock of this binary: it said ${stdout.toString().trim()}`);
  }
  return { environment, remove };
}
