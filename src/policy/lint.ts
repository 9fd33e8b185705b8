import type { CurrencyRates } from "../core/currency.ts";
import { nearestName } from "../core/nearest.ts";
import { parseRoute, type Route } from "../core/route.ts";
import { VENDORS } from "../vendors/index.ts";
import type { Operation, Vendor } from "../vendors/vendor.ts";
import { readVendorUsd } from "./cap-values.ts";
import { capWarnings, type Endpoint, rateWarnings, type Warning } from "./cap-warnings.ts";
import { covers, overlaps } from "./coverage.ts";
import type { PolicyDocument, PolicyFields } from "./policy.ts";
import { isMap } from "./rule-values.ts";
import { EVERY_INPUT, readTemplate } from "./template.ts";
import { unknownCostWarnings } from "./unknown-cost.ts";
import { inherited } from "./vendor-policies.ts";

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
    what: "key" | "value" = "value",
  ) => {
    const problem: LintProblem = { fileName, ...positionOf(path, what), severity, message };
    found.push(nearest === undefined ? problem : { ...problem, nearest });
  };
  for (const name of reading.unusedInputs) say("warning", ["inputs", name], `the input ${name} stands in no value`);
  for (const part of lintParts(fields)) {
    const warn = ({ path, message }: Warning) => say("warning", [...part.at, ...path], part.label + message);
    if (rates) rateWarnings(part.fields, rates).forEach(warn);
    const vendor = vendors.find(({ name }) => name === part.vendor);
    if (vendor) vendorWarnings(part.fields, vendor).forEach(warn);
    else if (typeof part.vendor === "string" && reading.template) {
      const { message, nearest } = unknownVendor(part.vendor, vendors);
      if (part.at.length === 0) say("error", ["vendor"], message, nearest);
      else say("error", part.at, message, nearest, "key");
    }
  }
  return found.sort((a, b) => a.line - b.line || a.column - b.column);
}

function unknownVendor(
  name: string,
  vendors: readonly Vendor[],
): { readonly message: string; readonly nearest?: string } {
  const names = vendors.map((vendor) => vendor.name);
  const nearest = nearestName(name, names);
  const meant = nearest ? `did you mean ${nearest}?` : `the vendors are ${names.join(", ")}`;
  const message = `vendor: there is no vendor "${name}"; ${meant}`;
  return nearest === undefined ? { message } : { message, nearest };
}

/** What is lawful in a policy and hardly meant: no cap on what costs, endpoints that are refused or that nothing reaches. */
export function policyWarnings(
  policy: PolicyDocument,
  vendors: readonly Vendor[],
  rates: CurrencyRates,
): readonly string[] {
  return lintParts(policy).flatMap(({ vendor: name, label, fields }) => {
    const vendor = vendors.find((one) => one.name === name);
    const warnings = [...(vendor ? vendorWarnings(fields, vendor) : []), ...rateWarnings(fields, rates)];
    return warnings.map(({ message }) => label + message);
  });
}

/** What one vendor's part of a policy is looked through for; `fields` may be canonical, or as a template has them. */
interface LintPart {
  readonly vendor: unknown;
  readonly at: readonly string[];
  /** What stands before the part's warnings. */
  readonly label: string;
  readonly fields: PolicyFields;
}

/** The caps at the top that count what a vendor's calls cost, too. */
const JOINT_CAPS = ["daily_usd_cap_total", "total_usd_cap"];

function lintParts(fields: PolicyFields): readonly LintPart[] {
  const { vendors } = fields;
  if (!isMap(vendors)) return [{ vendor: fields["vendor"], at: [], label: "", fields }];
  const joint = Object.entries(fields).filter(([name]) => JOINT_CAPS.includes(name));
  const ofVendors = readVendorUsd(fields["per_vendor_daily_caps"], [], () => {}) ?? {};
  return Object.entries(vendors).map(([vendor, own]) => ({
    vendor,
    at: ["vendors", vendor],
    label: `${vendor}: `,
    fields: {
      ...inherited(fields),
      ...Object.fromEntries(joint),
      ...(ofVendors[vendor] === undefined ? {} : { daily_usd_cap: ofVendors[vendor] }),
      ...(isMap(own) ? own : {}),
    },
  }));
}

function vendorWarnings(fields: PolicyFields, vendor: Vendor): Warning[] {
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

interface ReadOperation {
  readonly operation: Operation;
  readonly route: Route;
}

/** Read once: a policy may have thousands of endpoints, and a vendor has hundreds of operations. */
const READ = new WeakMap<Vendor, readonly ReadOperation[]>();

function routesOf(vendor: Vendor): readonly ReadOperation[] {
  const known = READ.get(vendor);
  if (known) return known;
  const read = vendor.operations.map((operation) => ({ operation, route: parseRoute(operation.route) }));
  READ.set(vendor, read);
  return read;
}

/** Those that a call of `route` can be: the vendor's list in order, up to the first that takes all of them. */
function operationsWithin(route: Route, vendor: Vendor): Operation[] {
  const within: Operation[] = [];
  for (const { operation, route: own } of routesOf(vendor)) {
    if (!overlaps(own, route)) continue;
    within.push(operation);
    if (covers(own, route)) break;
  }
  return within;
}
