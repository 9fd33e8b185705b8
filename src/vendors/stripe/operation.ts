import type { Answer, Call } from "../../core/call.ts";
import { NOTHING, noCost, nothingMovedBy, nothingSpent } from "../stripe-money.ts";
import type { Cost, Exposure, MoneyKind, Operation, OperationClass } from "../vendor.ts";

const V1_BODIES = ["none", "form"] as const;
const V2_BODIES = ["none", "json"] as const;
/** Parameters that describe and move nothing, on every object. */
const DESCRIPTION = /^(?:metadata(?:\[.+)?|description|expand\[[0-9]+\])$/;

/** The parts that an operation's money consists of. */
export type Money = Required<Pick<Operation, "exposure" | "cost">> & Pick<Operation, "object" | "counts">;

/** One operation by its name and route; v2 takes JSON, everything else a form. */
export function operation(name: string, opClass: OperationClass, kind: MoneyKind, route: string): Operation {
  return { name, route, class: opClass, kind, bodyKinds: route.includes(" /v2/") ? V2_BODIES : V1_BODIES };
}

/** An operation whose ceiling is in its request. */
export function priced(name: string, kind: MoneyKind, route: string, money: Money): Operation {
  return { ...operation(name, "priced", kind, route), ...money };
}

/** An operation whose ceiling may have to be looked up. */
export function lookedUp(name: string, kind: MoneyKind, route: string, money: Money): Operation {
  return { ...operation(name, "look_up", kind, route), ...money };
}

/** Writes that move and commit nothing, whatever they carry. */
export function free(name: string, routes: readonly string[]): Operation[] {
  return routes.map((route) => operation(name, "free", "write", route));
}

/** Writes that only a policy which names their exact route opens. */
export function closed(name: string, reason: string, routes: readonly string[]): Operation[] {
  return routes.map((route) => ({ ...operation(name, "closed", "write", route), reason }));
}

/** What nobody can price before the call. */
export function unknown(name: string, kind: MoneyKind, reason: string, routes: readonly string[]): Operation[] {
  return routes.map((route) => ({ ...operation(name, "unknown", kind, route), reason }));
}

/**
 * Operations on money that itself stays where it is, or comes back to the account. They are priced at nothing rather than
 * free, so that a policy's `customers` holds for them as for all that touches money.
 */
export function costless(name: string, kind: MoneyKind, counts: string, routes: readonly string[]): Operation[] {
  return routes.map((route) => priced(name, kind, route, { exposure: noExposure, cost: nothing, counts }));
}

function noExposure(): Exposure {
  return NOTHING;
}

function nothing(_call: Call, answer: Answer): Cost {
  return nothingSpent(answer);
}

/** Operations that are priced at nothing as long as only `fields` (regular expressions) and descriptions are sent. */
export function descriptive(name: string, routes: readonly string[], fields: readonly string[] = []): Operation[] {
  const harmless = harmlessBeside(fields);
  const money = { exposure: nothingMovedBy(harmless), cost: noCost, counts: "nothing, as long as it only describes" };
  return routes.map((route) => priced(name, "write", route, money));
}

/** Names of parameters that move nothing: descriptions, and `fields` with all that is nested in them. */
export function harmlessBeside(fields: readonly string[]): RegExp {
  return new RegExp(`${DESCRIPTION.source}${fields.map((some) => `|^(?:${some})(?:\\[.+)?$`).join("")}`);
}
