import type { AlertTarget } from "../core/alert-target.ts";
import { Problem } from "../core/problem.ts";
import type { Delivery } from "../store/alert-queue.ts";
import type { AlertDeliveryView, AlertTestView } from "./alert-verbs.ts";
import type { ControlPlaneOptions } from "./options.ts";

export const ALERTS_MAX = 10_000;

export async function listAlerts({ store }: ControlPlaneOptions, limit: number): Promise<readonly AlertDeliveryView[]> {
  return (await store.listDeliveries(limit)).map(deliveryView);
}

export async function testAlerts(
  { config, tryAlert }: ControlPlaneOptions,
  only: string | undefined,
): Promise<readonly AlertTestView[]> {
  return Promise.all(
    chosen(config.alerts.targets, only).map(async (target) => {
      const { httpStatus, problem } = await tryAlert(target);
      return { target: target.name, type: target.type, ok: problem === null, http_status: httpStatus, problem };
    }),
  );
}

function chosen(targets: readonly AlertTarget[], only: string | undefined): readonly AlertTarget[] {
  if (targets.length === 0) {
    throw new Problem("not_found", "no alert target is configured", "name one under alerts: in keybrake.yaml");
  }
  const found = only === undefined ? targets : targets.filter(({ name }) => name === only);
  if (found.length > 0) return found;
  const names = targets.map(({ name }) => name).join(", ");
  throw new Problem("not_found", `there is no alert target ${JSON.stringify(only)}`, `keybrake.yaml has ${names}`);
}

function deliveryView({ event, target, state, attempts, dueAt, httpStatus, problem }: Delivery): AlertDeliveryView {
  return {
    event_id: event.id,
    type: event.type,
    at: new Date(event.at).toISOString(),
    text: event.text,
    target,
    state,
    attempts,
    next_try_at: state === "pending" ? new Date(dueAt).toISOString() : null,
    http_status: httpStatus,
    problem,
  };
}
