import { processEnvironment } from "../config.ts";
import { systemClock } from "../core/clock.ts";
import type { Cli } from "./cli.ts";
import { startGuard } from "./guard.ts";
import { processKeyboard } from "./keyboard.ts";
import { openLocalControl } from "./local.ts";
import { openRemoteControl } from "./remote/open.ts";
import { processSignals } from "./signals.ts";
import { processVoice } from "./voice.ts";

/** The terminal, clock, environment and data directory of this process. */
export function processCli(): Cli {
  const environment = processEnvironment();
  const outside = { voice: processVoice(environment), clock: systemClock, environment };
  return {
    ...outside,
    keyboard: processKeyboard,
    signals: processSignals,
    openControl: (config) => openLocalControl(config, outside, (text) => outside.voice.note(text)),
    openRemote: async (remote) => openRemoteControl(remote, environment),
    startServer: async (options) => {
      // Only `serve` and `demo` pay for loading the server.
      const { startServer } = await import("../server.ts");
      return startServer(options);
    },
    startGuard: (flags) => startGuard(flags, environment),
    pause: (durationMs) => new Promise((resolve) => setTimeout(resolve, durationMs)),
    exitCode: 0,
  };
}
