import { stripe } from "../vendors/stripe.ts";
import { CAPPED_KINDS, type CappedKind, type MoneyKind } from "../vendors/vendor.ts";
import type { StripeLevel } from "./stripe-scopes.ts";

/**
 * How much a permission can do at worst, by the table of Stripe's operations:
 * - `extreme`: money leaves for another account or card, or access to an account is handed out;
 * - `high`: money is taken from payers, given back, or given away;
 * - `medium`: things are changed, or Stripe's own fees are run up;
 * - `low`: reads.
 */
export type BlastRadius = "extreme" | "high" | "medium" | "low";

export interface Blast {
  readonly radius: BlastRadius;
  readonly moves: readonly CappedKind[];
  readonly givesAccess: boolean;
}

const LEAVES: readonly MoneyKind[] = ["payout", "transfer", "card"];
const MOVES: readonly MoneyKind[] = ["charge", "refund", "topup", "credit"];

/**
 * What all operations under the permission `stem` can do together, whichever of them was asked for: Stripe's key opens
 * them all. `permissionsOf` tells the stems that open a route.
 */
export function blastOf(stem: string, level: StripeLevel, permissionsOf: (route: string) => readonly string[]): Blast {
  if (level === "Read") return { radius: "low", moves: [], givesAccess: false };
  const opened = stripe.operations.filter(
    ({ kind, route }) => kind !== "read" && !route.endsWith(" /v1/**") && permissionsOf(route).includes(stem),
  );
  const kinds = new Set<MoneyKind>(opened.map(({ kind }) => kind));
  const givesAccess = opened.some((operation) => operation.class === "closed");
  return { radius: radiusOf(kinds, givesAccess), moves: CAPPED_KINDS.filter((kind) => kinds.has(kind)), givesAccess };
}

function radiusOf(kinds: ReadonlySet<MoneyKind>, givesAccess: boolean): BlastRadius {
  if (givesAccess || LEAVES.some((kind) => kinds.has(kind))) return "extreme";
  return MOVES.some((kind) => kinds.has(kind)) ? "high" : "medium";
}
