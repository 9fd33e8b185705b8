import type { Answer, Call } from "../../core/call.ts";
import { costOf, type StripeObject } from "../stripe-money.ts";
import type { CappedKind, Cost, Exposure, Operation, OperationClass, Pricing } from "../vendor.ts";
import { objectPath } from "./billing-fields.ts";
import { countedInFull } from "./billing-money.ts";

const V1_BODIES = ["none", "form"] as const;
const V2_BODIES = ["none", "json"] as const;

type ExposureOf = NonNullable<Operation["exposure"]>;
type CostOf = NonNullable<Operation["cost"]>;

/** An operation whose ceiling a look-up tells, and which is under way once at a time for the object in its path. */
export function lookedUp(
  name: string,
  kind: CappedKind,
  route: string,
  exposure: ExposureOf,
  options: { readonly cost?: CostOf; readonly object?: (call: Call) => string | undefined } = {},
): Operation {
  const namesObject = route.includes("/*");
  const object = options.object ?? (namesObject ? (call: Call) => objectPath(call) : undefined);
  const cost = options.cost ?? countedInFull;
  return { name, route, class: "look_up", kind, bodyKinds: V1_BODIES, exposure, cost, ...(object ? { object } : {}) };
}

/** An operation whose ceiling is in its request, with nothing to look up. */
export function priced(
  name: string,
  kind: Operation["kind"],
  route: string,
  exposure: ExposureOf,
  cost: CostOf = countedInFull,
): Operation {
  return { name, route, class: "priced", kind, bodyKinds: V1_BODIES, exposure, cost };
}

/** Routes of one class that nothing is counted for: `free`, or refused for `reason`. */
export function family(
  name: string,
  opClass: Exclude<OperationClass, "priced" | "look_up">,
  kind: Operation["kind"],
  routes: readonly string[],
  reason?: string,
): Operation[] {
  return routes.map((route) => ({
    name,
    route,
    class: opClass,
    kind,
    bodyKinds: route.includes(" /v2/") ? V2_BODIES : V1_BODIES,
    ...(reason === undefined ? {} : { reason }),
  }));
}

/**
 * The cost that the answer tells, in its own currency; nothing where the ceiling was nothing, whatever the object comes
 * to: what it comes to is then counted by the call that collects it.
 */
export function settledBy(moved: (object: StripeObject, call: Call) => bigint | undefined): CostOf {
  const read = costOf(moved);
  return (call: Call, answer: Answer, exposure: Exposure, pricing: Pricing): Cost =>
    exposure.micros === 0n ? countedInFull(call, answer, exposure) : read(call, answer, exposure, pricing);
}
