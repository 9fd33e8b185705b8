import type { CurrencyRates } from "../core/currency.ts";
import { nearestName } from "../core/nearest.ts";
import { parseRoute, type Route } from "../core/route.ts";
import { VENDORS } from "../vendors/index.ts";
import type { Operation, Vendor } from "../vendors/vendor.ts";
import { capWarnings, type Endpoint, rateWarnings, type Warning } from "./cap-warnings.ts";
import { covers, overlaps } from "./coverage.ts";
import type { PolicyDocument } from "./policy.ts";
import { EVERY_INPUT, readTemplate } from "./template.ts";
import { unknownCostWarnings } from "./unknown-cost.ts";

/** One thing to mend in a template's file. */
export interface LintProblem {
  readonly fileName: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** An error keeps the template from being used; a warning does not. */
  readonly severity: "error" | "warning";
  readonly message: string;
  /** The known name that an unknown one was probably meant to be. */
  readonly nearest?: string;
}

/**
 * Everything that is wrong with a template, in the order of its lines: errors, and warnings about rules that do not do
 * what their author would expect. `vendors` are those that Keybrake knows,
 * `rates` those of the configuration: without them nothing is said about currencies.
 */
export function lintTemplate(
  text: string,
  fileName: string,
  vendors: readonly Vendor[] = VENDORS,
  rates?: CurrencyRates,
): LintProblem[] {
  const reading = readTemplate(text, fileName);
  const found: LintProblem[] = reading.problems.map((problem) => ({ fileName, severity: "error", ...problem }));
  const { fields, positionOf } = reading;
  if (!fields) return found;
  const say = (
    severity: LintProblem["severity"],
    path: readonly (string | number)[],
    message: string,
    nearest?: string,
  ) => {
    const problem: LintProblem = { fileName, ...positionOf(path), severity, message };
    found.push(nearest === undefined ? problem : { ...problem, nearest });
  };
  for (const name of reading.unusedInputs) say("warning", ["inputs", name], `the input ${name} stands in no value`);
  for (const { path, message } of rates ? rateWarnings(fields, rates) : []) say("warning", path, message);
  const vendor = vendors.find(({ name }) => name === fields["vendor"]);
  if (vendor) {
    for (const { path, message } of vendorWarnings(fields, vendor)) say("warning", path, message);
  } else if (typeof fields["vendor"] === "string" && reading.template) {
    const names = vendors.map(({ name }) => name);
    const nearest = nearestName(fields["vendor"], names);
    const meant = nearest ? `did you mean ${nearest}?` : `the vendors are ${names.join(", ")}`;
    say("error", ["vendor"], `vendor: there is no vendor "${fields["vendor"]}"; ${meant}`, nearest);
  }
  return found.sort((a, b) => a.line - b.line || a.column - b.column);
}

/** What is lawful in a policy and hardly meant: no cap on what costs, endpoints that are refused or that nothing reaches. */
export function policyWarnings(policy: PolicyDocument, vendor: Vendor, rates: CurrencyRates): readonly string[] {
  return [...vendorWarnings(policy, vendor), ...rateWarnings(policy, rates)].map(({ message }) => message);
}

function vendorWarnings(fields: Readonly<Record<string, unknown>>, vendor: Vendor): Warning[] {
  const allowed = endpoints(fields, "allowed_endpoints", vendor);
  const letsUnknownIn = (fields["on_unknown_cost"] ?? "deny") !== "deny";
  const denied = endpoints(fields, "denied_endpoints", vendor);
  return [
    ...capWarnings(fields, allowed),
    ...unknownCostWarnings(fields),
    ...allowed.flatMap((endpoint) => refusedWarnings(endpoint, vendor, letsUnknownIn)),
    ...denied.flatMap((endpoint) => idleWarnings(endpoint, allowed)),
  ];
}

function refusedWarnings({ path, route, operations }: Endpoint, vendor: Vendor, letsUnknownIn: boolean): Warning[] {
  if (operations.length === 0) {
    if (letsUnknownIn) return [];
    return [
      {
        path,
        message: `"${route.text}" is no operation that Keybrake knows of ${vendor.title}; its calls are refused (cost_unknown)`,
      },
    ];
  }
  const refused = (operation: Operation) =>
    (operation.class === "unknown" && !letsUnknownIn) ||
    (operation.class === "closed" && operation.route !== route.text);
  if (!operations.every(refused)) return [];
  const { class: kind, reason = "may move money", route: name } = operations[0]!;
  const message =
    kind === "closed"
      ? `"${route.text}" ${reason} and is refused; only its exact name "${name}" opens it`
      : `"${route.text}" ${reason}; its calls are refused (cost_unknown)`;
  return [{ path, message }];
}

function idleWarnings({ path, route }: Endpoint, allowed: readonly Endpoint[]): Warning[] {
  if (allowed.some((endpoint) => overlaps(endpoint.route, route))) return [];
  return [{ path, message: `"${route.text}" denies nothing: no allowed endpoint reaches it` }];
}

/** The endpoints of a list that can be read; one with an input is taken with `*` in its place. */
function endpoints(fields: Readonly<Record<string, unknown>>, field: string, vendor: Vendor): Endpoint[] {
  const value = fields[field];
  const entries = typeof value === "string" ? value.split(",").map((text) => [text, [field]] as const) : undefined;
  const list = entries ?? (Array.isArray(value) ? value.map((text, index) => [text, [field, index]] as const) : []);
  return list.flatMap(([text, path]) => {
    try {
      const route = parseRoute(String(text).replace(EVERY_INPUT, "*"));
      return [{ path, route, operations: operationsWithin(route, vendor) }];
    } catch {
      return []; // an error already, or an input that is the whole endpoint
    }
  });
}

/** Those that a call of `route` can be: the vendor's list in order, up to the first that takes all of them. */
function operationsWithin(route: Route, vendor: Vendor): Operation[] {
  const within: Operation[] = [];
  for (const operation of vendor.operations) {
    const own = parseRoute(operation.route);
    if (!overlaps(own, route)) continue;
    within.push(operation);
    if (covers(own, route)) break;
  }
  return within;
}
