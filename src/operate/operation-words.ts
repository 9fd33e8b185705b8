import { nearestName } from "../core/nearest.ts";
import { Problem } from "../core/problem.ts";
import { parseRoute, type Route } from "../core/route.ts";
import type { Vendor } from "../vendors/vendor.ts";

/**
 * The endpoints that `words` mean, as `allowed_endpoints` has them: operations of the vendor by name (`refunds.create`,
 * which may be several), or routes (`GET /v1/customers/*`).
 * @throws Problem `not_found` for a name that there is not, `usage` for a route that is none.
 */
export function endpointsNamed(vendor: Vendor, words: readonly string[]): readonly string[] {
  return words.flatMap((word) => (word.includes(" ") ? [routeOf(word).text] : operationsNamed(vendor, word)));
}

function operationsNamed({ name: vendor, operations }: Vendor, name: string): readonly string[] {
  const routes = operations.filter((operation) => operation.name === name).map(({ route }) => route);
  if (routes.length > 0) return routes;
  const nearest = nearestName(
    name,
    operations.map((operation) => operation.name),
  );
  throw new Problem(
    "not_found",
    `${vendor} has no operation ${JSON.stringify(name)}`,
    nearest
      ? `did you mean ${nearest}?`
      : `\`keybrake vendor operations ${vendor} --json\` lists their names; or write a route`,
  );
}

/** @throws Problem `usage` where `text` is no endpoint. */
export function routeOf(text: string): Route {
  try {
    return parseRoute(text);
  } catch (error) {
    throw new Problem("usage", (error as Error).message, 'write it like "POST /v1/refunds"');
  }
}
