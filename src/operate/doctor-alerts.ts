import type { AlertTarget, SecretPlace } from "../core/alert-target.ts";
import { Problem } from "../core/problem.ts";
import { formatDuration } from "../core/window.ts";
import type { FindingView } from "./about.ts";
import { readSecret } from "./alert-secret.ts";
import type { ControlPlaneOptions } from "./options.ts";

type Finding = Omit<FindingView, "check">;

/** A receiver may be restarted; one that is away for so long is broken. */
const FAILING_MS = 3_600_000;
const MINUTE_MS = 60_000;
const DELIVERIES_MAX = 1_000;

/** Whether alerts can be sent, and have arrived lately. Sends none: `keybrake alert test` does. */
export async function alertTargets({
  store,
  config,
  clock,
  environment,
}: Pick<ControlPlaneOptions, "store" | "config" | "clock" | "environment">): Promise<readonly Finding[]> {
  const { targets } = config.alerts;
  if (targets.length === 0) return [{ level: "ok", message: "no alert target is configured", hint: null }];
  const secrets = targets.flatMap((target) => secretProblems(target, environment));
  const queue = await store.listDeliveries(DELIVERIES_MAX);
  const now = clock.now();
  const failing = targets.flatMap(({ name }): Finding[] => {
    const waiting = queue.filter(
      ({ target, state, attempts }) => target === name && state === "pending" && attempts > 0,
    );
    const oldest = waiting.find(({ queuedAt }) => now - queuedAt > FAILING_MS);
    if (!oldest) return [];
    const age = formatDuration(Math.floor((now - oldest.queuedAt) / MINUTE_MS) * MINUTE_MS);
    const message = `alerts have not reached ${name} for ${age}: ${oldest.problem ?? "the last try has not ended"}`;
    return [{ level: "warning", message, hint: `\`keybrake alert test --target ${name}\` tries it now` }];
  });
  if (secrets.length + failing.length > 0) return [...secrets, ...failing];
  return [{ level: "ok", message: `alerts go to ${targets.map(({ name }) => name).join(", ")}`, hint: null }];
}

/** The environment is that of this process; the server may have another, so a missing variable is only a warning. */
function secretProblems(target: AlertTarget, environment: ControlPlaneOptions["environment"]): Finding[] {
  const places = target.type === "webhook" ? [target.url, target.secret] : [target.url];
  return places
    .filter((place): place is SecretPlace => typeof place !== "string")
    .flatMap((place): Finding[] => {
      try {
        readSecret(place, environment);
        return [];
      } catch (cause) {
        if (!(cause instanceof Problem)) throw cause;
        const level = "file" in place ? "error" : "warning";
        return [{ level, message: `the alert target ${target.name}: ${cause.message}`, hint: cause.hint ?? null }];
      }
    });
}
