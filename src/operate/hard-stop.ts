import type { HardStop } from "../core/hard-stop.ts";
import type { ControlPlaneOptions } from "./options.ts";

/**
 * Aborts what a stop that is in force already concerns: at once in this process, and within a quarter of a second in every
 * server on the same store. This process comes first, so that it acts also where the store fails.
 */
export async function stopHard({ store, clock, onHardStop }: ControlPlaneOptions, stop: HardStop): Promise<void> {
  onHardStop(stop);
  await store.recordHardStop(stop, clock.now());
}
