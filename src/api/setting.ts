import type { Config } from "../config.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../log.ts";
import type { ControlPlane } from "../operate/control-plane.ts";
import type { Store } from "../store/store.ts";
import type { StoreProbe } from "../store/store-probe.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { MasterKey } from "../vault/master-key.ts";
import type { Gate } from "./auth.ts";
import type { Pause } from "./failed-tries.ts";

/** What the control API works with; made once by the server. */
export interface ApiOptions {
  readonly control: ControlPlane;
  readonly store: Store;
  readonly clock: Clock;
  readonly probe: StoreProbe;
  readonly metrics: Pick<Metrics, "text">;
  readonly config: Config;
  /** Seals the answers that are remembered for `Idempotency-Key`. */
  readonly masterKey: MasterKey;
  readonly log: Log;
  /** How an answer to a failed authentication is kept waiting. */
  readonly pause?: Pause;
  /** How often `/audit/stream` looks for new rows, in milliseconds. */
  readonly streamPollMs?: number;
  /** Aborted when the server begins to stop: answers that last end then. */
  readonly stops?: AbortSignal;
}

/** What a controller works with. */
export interface ApiSetting extends ApiOptions {
  readonly gate: Gate;
}

/**
 * Of every Elysia instance. Without `standardHostname: false` Elysia finds the path by a fixed offset, so that a short Host
 * shifts its routes; without `normalize: false` it takes unknown fields out of a body in silence.
 */
export const ELYSIA = { normalize: false, handler: { standardHostname: false } } as const;
