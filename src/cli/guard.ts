import { spawn } from "node:child_process";
import type { Environment } from "../config.ts";

/** A process of its own that outlives the one that started it, and revokes a key where that one cannot any more. */
export interface Guard {
  /** Which key is to be revoked, at the latest at its expiry (milliseconds since 1970). */
  watch(keyId: string, expiresAtMs: number): void;
  /** The key is revoked, or there is none: nothing is left to do. */
  dismiss(): void;
  /** The key is not revoked, and the guard is to go on trying. */
  leave(): void;
}

/** What the guard is told when nothing is left to do. */
export const DISMISSED = "done";

/**
 * Starts `keybrake run-guard` in a session of its own, so that neither Ctrl-C nor what is sent to this process's group
 * reaches it. It knows that this process is gone when its stdin ends, however that comes about; the command that is run does
 * not inherit that pipe. `flags` say where the key is, like those of this process.
 * @throws Error where no process can be started.
 */
export function startGuard(flags: readonly string[], environment: Environment): Guard {
  const own = import.meta.path.startsWith("/$bunfs/") ? [] : [Bun.main];
  const child = spawn(process.execPath, [...own, ...flags, "run-guard"], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    env: { ...environment },
  });
  // Without it this process is as it would be with a guard that has ended: its key expires.
  child.once("error", () => {});
  child.stdin.once("error", () => {});
  child.unref();
  return {
    watch: (keyId, expiresAtMs) => child.stdin.write(`${keyId} ${expiresAtMs}\n`),
    dismiss: () => child.stdin.end(`${DISMISSED}\n`),
    leave: () => child.stdin.end(),
  };
}
