import { Problem } from "../core/problem.ts";
import type { Vendor } from "../vendors/vendor.ts";
import type { PolicyProblem, Report } from "./field-values.ts";
import { narrowFields } from "./narrow-fields.ts";
import { type SayWider, valueText } from "./narrow-parameters.ts";
import { checkOneVendor, checkSeveralVendors } from "./placement.ts";
import type { PolicyDocument, PolicyFields } from "./policy.ts";
import { problemsText, validateFields, validatePolicy } from "./validate.ts";
import { inherited, vendorPath, vendorPolicy, vendorsOf } from "./vendor-policies.ts";

/**
 * A template's policy with the fields of a request, which can only narrow it: what the template refuses, the result
 * refuses. `vendors` are those that Keybrake knows, the template's among them, and are needed to keep closed operations
 * closed: a template that allows `* /**` does not open them, so a request cannot open one by its exact name.
 * @throws Problem `invalid` naming each field that would widen the template, with both values.
 */
export function narrowPolicy(base: PolicyDocument, fields: unknown, vendors: readonly Vendor[]): PolicyDocument {
  const given = validateFields(fields);
  if (!given.ok) throw new Problem("invalid", problemsText(given.problems));
  const wider: string[] = [];
  const known = (name: string) => vendors.find((vendor) => vendor.name === name)!;
  const merged =
    base.vendors === undefined
      ? narrowOne(base, given.fields, known(base.vendor!), wider)
      : narrowSeveral(base, given.fields, known, wider);
  if (wider.length > 0) {
    throw new Problem("invalid", wider.join("; "), "fields beside a template only narrow it; use another template");
  }
  const result = validatePolicy(merged);
  // Two rules that are sound alone can contradict each other: min 100 of the template, max 50 of the request.
  if (!result.ok) throw new Problem("invalid", problemsText(result.problems));
  return result.policy;
}

/** Notes what is wider, each field with `at` before its name. */
function sayingInto(wider: string[], at: string): SayWider {
  return (field, template, value) => {
    wider.push(`${at}${field}: ${valueText(value)} is wider than the template's ${valueText(template)}`);
  };
}

function narrowOne(base: PolicyDocument, given: PolicyFields, vendor: Vendor, wider: string[]): PolicyFields {
  refuseMisplaced((report) => checkOneVendor(given, vendor.name, report));
  const merged = narrowFields(base, given, sayingInto(wider, ""));
  wider.push(...opened(base, merged, vendor));
  return merged;
}

/** Vendor by vendor; one that the request does not name keeps the template's fields. */
function narrowSeveral(
  base: PolicyDocument,
  given: PolicyFields,
  known: (name: string) => Vendor,
  wider: string[],
): PolicyFields {
  const names = vendorsOf(base);
  const { vendors, ...top } = given;
  refuseMisplaced((report) => checkSeveralVendors(top, names, report));
  const asked = (vendors ?? {}) as Readonly<Record<string, PolicyFields>>;
  for (const name of [...Object.keys(asked), ...Object.keys((top["per_vendor_daily_caps"] ?? {}) as object)]) {
    if (!names.includes(name)) wider.push(`${name} is none of the template's vendors, which are ${names.join(", ")}`);
  }
  const { vendors: _, ...baseTop } = base;
  const ofAll = inherited(top);
  const ownTop = Object.fromEntries(Object.entries(top).filter(([name]) => name === "cap_window" || !(name in ofAll)));
  const narrowed = names.map((name) => {
    const own = { ...ofAll, ...asked[name] };
    return [name, narrowVendor(base, name, own, known(name), wider)] as const;
  });
  return { ...narrowFields(baseTop, ownTop, sayingInto(wider, "")), vendors: Object.fromEntries(narrowed) };
}

/** A vendor's part; what it has from the top is written into it only where the request has changed it. */
function narrowVendor(
  base: PolicyDocument,
  name: string,
  { cap_window: _, ...given }: PolicyFields,
  vendor: Vendor,
  wider: string[],
): PolicyFields {
  const { vendor: __, cap_window: ___, ...whole } = vendorPolicy(base, name);
  const merged = narrowFields(whole, given, sayingInto(wider, vendorPath(name)));
  wider.push(...opened(whole, merged, vendor).map((text) => vendorPath(name) + text));
  const own = base.vendors![name]!;
  return Object.fromEntries(Object.entries(merged).filter(([field]) => field in own || field in given));
}

function refuseMisplaced(check: (report: Report) => void): void {
  const problems: PolicyProblem[] = [];
  check((path, message) => problems.push({ path, message }));
  if (problems.length > 0) throw new Problem("invalid", problemsText(problems));
}

/** Closed operations that the merged policy would open and the template does not. */
function opened(base: PolicyFields, merged: PolicyFields, vendor: Vendor): string[] {
  const before = new Set(base["allowed_endpoints"] as readonly string[] | undefined);
  const added = ((merged["allowed_endpoints"] ?? []) as readonly string[]).filter((entry) => !before.has(entry));
  const closed = new Set(
    vendor.operations.filter((operation) => operation.class === "closed").map(({ route }) => route),
  );
  return added
    .filter((entry) => closed.has(entry))
    .map((entry) => `allowed_endpoints: "${entry}" is closed and is opened only by a template that names it exactly`);
}
