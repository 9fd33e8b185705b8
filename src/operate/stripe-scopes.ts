import { parseRoute, type Route } from "../core/route.ts";
import { covers, overlaps } from "../policy/coverage.ts";
import { STRIPE_PERMISSIONS, type StripePermission } from "../vendors/stripe/permissions.ts";
import type { CappedKind } from "../vendors/vendor.ts";
import { routeOf } from "./operation-words.ts";
import { type BlastRadius, blastOf } from "./stripe-blast.ts";
import { dangersOf, type StripeDanger } from "./stripe-dangers.ts";

export type StripeLevel = "Read" | "Write";

/** One tick on Stripe's form for a restricted key. */
export interface StripeScope {
  /** `rak_charge_write`, as Stripe's errors name it. */
  readonly permission: string;
  readonly resource: string;
  /** Write lets the key read, too. */
  readonly level: StripeLevel;
  readonly blast_radius: BlastRadius;
  /** The kinds of money that all operations under this tick can move; empty where none. */
  readonly moves: readonly CappedKind[];
  /** Whether it opens operations that hand out credentials or control over an account. */
  readonly gives_access: boolean;
  /** `documented` where Stripe names the resource of every endpoint here, `derived` where it follows from a path. */
  readonly origin: "documented" | "derived";
  /** The endpoints that need it. */
  readonly for: readonly string[];
}

export interface StripeScopes {
  /** The most dangerous first. */
  readonly permissions: readonly StripeScope[];
  readonly dangers: readonly StripeDanger[];
  /** Endpoints whose permission is not known: Stripe's error message names it. */
  readonly unmapped: readonly string[];
}

interface Need {
  readonly permission: StripePermission;
  readonly endpoint: Route;
  readonly isDocumented: boolean;
}

/**
 * The fewest permissions with which a restricted key can call `allowed`; what `denied` closes as a whole needs none.
 * @throws Problem `usage` for a route that is none.
 */
export function stripeScopes(allowed: readonly string[], denied: readonly string[] = []): StripeScopes {
  const closed = denied.map(routeOf);
  const endpoints = [...new Set(allowed)].map(routeOf);
  const needs = endpoints.flatMap((endpoint) => needsOf(endpoint, closed));
  const permissions = STRIPE_PERMISSIONS.flatMap((permission) => {
    const own = needs.filter((need) => need.permission === permission);
    return own.length === 0 ? [] : [scopeOf(permission, own)];
  });
  const sorted = permissions.toSorted((a, b) => ORDER.indexOf(a.blast_radius) - ORDER.indexOf(b.blast_radius));
  const unmapped = endpoints.filter((endpoint) => needs.every((need) => need.endpoint !== endpoint));
  return {
    permissions: sorted,
    dangers: dangersOf(new Set(sorted.map(({ permission }) => permission))),
    unmapped: unmapped.map(({ text }) => text),
  };
}

const ORDER: readonly BlastRadius[] = ["extreme", "high", "medium", "low"];

function scopeOf({ stem, resource, only }: StripePermission, needs: readonly Need[]): StripeScope {
  const level = only ?? (needs.some(({ endpoint }) => writes(endpoint)) ? "Write" : "Read");
  const { radius, moves, givesAccess } = blastOf(stem, level, permissionsOf);
  return {
    permission: `${stem}_${level.toLowerCase()}`,
    resource,
    level,
    blast_radius: radius,
    moves,
    gives_access: givesAccess,
    origin: needs.every(({ isDocumented }) => isDocumented) ? "documented" : "derived",
    for: [...new Set(needs.map(({ endpoint }) => endpoint.text))],
  };
}

function writes({ method }: Route): boolean {
  return method !== "GET" && method !== "HEAD";
}

/** The stems of the permissions that open an operation's route. */
function permissionsOf(route: string): readonly string[] {
  return needsOf(parseRoute(route), []).map(({ permission }) => permission.stem);
}

interface Line {
  readonly permission: StripePermission;
  readonly path: string;
  readonly isDocumented: boolean;
}

const LINES: readonly Line[] = STRIPE_PERMISSIONS.flatMap((permission) => [
  ...permission.documented.map((path) => ({ permission, path, isDocumented: true })),
  ...permission.derived.map((path) => ({ permission, path, isDocumented: false })),
]);

/** Every permission that some call of `endpoint` needs; of two that cover one call, that of the longer path. */
function needsOf(endpoint: Route, denied: readonly Route[]): readonly Need[] {
  const under = LINES.filter((line) => routesOf(line, endpoint.method).some((route) => overlaps(route, endpoint)));
  const longest = Math.max(
    0,
    ...under.filter((line) => isWithin(endpoint, line)).map(({ path }) => path.split("/").length),
  );
  const deciding = under.filter((line) => !isWithin(endpoint, line) || line.path.split("/").length === longest);
  return deciding
    .filter(({ permission }) => permission.only !== "Write" || writes(endpoint))
    .filter((line) => !routesOf(line, endpoint.method).every((route) => denied.some((each) => covers(each, route))))
    .map((line) => ({
      permission: line.permission,
      endpoint,
      isDocumented: line.isDocumented && !isDeeper(endpoint, line),
    }));
}

function isWithin(endpoint: Route, line: Line): boolean {
  return routesOf(line, endpoint.method).some((route) => covers(route, endpoint));
}

/** The path itself, and all that lies under it. */
function routesOf({ path }: Line, method: Route["method"]): readonly Route[] {
  return [parseRoute(`${method} ${path}`), parseRoute(`${method} ${path}/**`)];
}

/** Deeper than the list of the objects and one of them, such as `/v1/customers/…/balance_transactions`. */
function isDeeper(endpoint: Route, { path }: Line): boolean {
  return endpoint.segments.length > path.split("/").length;
}
