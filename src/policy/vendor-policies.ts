import type { Path } from "./field-values.ts";
import type { PolicyDocument, PolicyFields } from "./policy.ts";
import { POLICY_FIELDS } from "./schema.ts";

/** Fields at the top that hold for the vendors that do not say otherwise. */
const INHERITED: ReadonlySet<string> = new Set([
  ...POLICY_FIELDS.filter(({ place }) => place === "default").map(({ name }) => name),
  // One key counts by one window, or its total could not be compared with its parts.
  "cap_window",
]);

/** The vendors that a canonical policy is for, in its order. */
export function vendorsOf({ vendor, vendors }: PolicyDocument): readonly string[] {
  return vendors === undefined ? [vendor!] : Object.keys(vendors);
}

/** What a policy says of calls to `vendor`, written as a policy for that vendor alone; what it counts jointly is not in it. */
export function vendorPolicy(document: PolicyDocument, vendor: string): PolicyDocument {
  if (document.vendors === undefined) return document;
  return { vendor, ...inherited(document), ...document.vendors[vendor] };
}

/** Each vendor's part of a policy, in its order. */
export function vendorPolicies(document: PolicyDocument): readonly PolicyDocument[] {
  return vendorsOf(document).map((vendor) => vendorPolicy(document, vendor));
}

/** The fields at the top that hold for vendors, too. */
export function inherited(fields: PolicyFields): PolicyFields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => INHERITED.has(name)));
}

/** The field that a path is in, at the top or within a vendor's own. */
export function fieldOf(path: Path): string {
  return String(path[0] === "vendors" && path.length > 2 ? path[2] : path[0]);
}

/** `vendors.twilio.`: what stands before a vendor's own field in paths, rules and the names of caps; nothing for one vendor. */
export function vendorPath(vendor: string): string {
  return `vendors.${vendor}.`;
}
