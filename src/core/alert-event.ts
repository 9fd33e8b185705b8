import type { EpochMs } from "./window.ts";

/** Everything that an operator can be told of, as `type` says it. `alert.test` is what `keybrake alert test` sends. */
export const ALERT_TYPES = [
  "cap.warning",
  "cap.hit",
  "cap.hit_rate",
  "run.cost",
  "spend.velocity",
  "key.revoked",
  "key.auto_revoked",
  "brake.engaged",
  "call.unresolved",
  "store.degraded",
  "alert.test",
] as const;
export type AlertType = (typeof ALERT_TYPES)[number];

/** One occurrence, as receivers are told of it. */
export interface AlertNews {
  /** Names the occurrence: whoever finds it, and however often, the id is the same. */
  readonly id: string;
  readonly type: AlertType;
  readonly at: EpochMs;
  /** One sentence for people. */
  readonly text: string;
  /** Dollars are decimal strings, times ISO 8601. */
  readonly data: Readonly<Record<string, string | number | null>>;
}
