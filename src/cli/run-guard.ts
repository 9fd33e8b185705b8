import type { Command } from "commander";
import { Problem } from "../core/problem.ts";
import { LOCAL_ADMIN } from "../operate/control-plane.ts";
import { type Cli, withExamples } from "./cli.ts";
import { DISMISSED } from "./guard.ts";
import { withControl } from "./local.ts";

const BYTES_MAX = 1024;
const PAUSE_MS = 500;
const PAUSE_MS_MAX = 30_000;

/** `keybrake run-guard`: started by `keybrake run`, and by nobody else. */
export function addRunGuardCommand(program: Command, cli: Cli): void {
  const command = program
    .command("run-guard", { hidden: true })
    .description("wait for the end of stdin, and revoke the key that it names; `keybrake run` starts it by itself")
    .action(async () => {
      // A supervisor that ends everything asks it to end, too; it has its work when `keybrake run` is gone.
      const stopListening = cli.signals.listen(() => {});
      try {
        const [key = "", last] = (await cli.keyboard.readAll(BYTES_MAX)).trim().split("\n");
        const [id, expiresAtMs] = key.split(" ");
        if (id?.startsWith("vk_") && last !== DISMISSED) await revoke(id, Number(expiresAtMs), cli, command);
      } finally {
        stopListening();
      }
    });
  withExamples(command, ["echo 'vk_01j… 1767225600000' | keybrake run-guard"]);
}

/** Until it is done, or the key has expired by itself, or it is refused for good. */
async function revoke(id: string, expiresAtMs: number, cli: Cli, command: Command): Promise<void> {
  for (let pauseMs = PAUSE_MS; cli.clock.now() < expiresAtMs; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
    try {
      const request = { ids: [id], reason: "its `keybrake run` was killed" };
      await withControl(cli, command, (control) => control.revokeKeys(request, LOCAL_ADMIN), { quiet: true });
      return;
    } catch (cause) {
      if (cause instanceof Problem && cause.code !== "unavailable") throw cause;
      await cli.pause(pauseMs);
    }
  }
}
