import type { CapsDocument } from "./cap-values.ts";
import type { PolicyDocument } from "./policy.ts";
import { vendorPath, vendorPolicies } from "./vendor-policies.ts";

/**
 * A sentence for each cap of one kind that `after` has and `before` has not: a kind is counted only while it has a cap,
 * so that such a cap finds nothing of what was spent before.
 */
export function capsCountedFromNow(before: PolicyDocument, after: PolicyDocument): readonly string[] {
  const had = new Set(namesOf(before));
  return namesOf(after)
    .filter((name) => !had.has(name))
    .map((name) => `${name} counts from now on: what was spent before it was set is not in it`);
}

/** `caps.refund.daily_usd`; of a vendor among several `vendors.stripe.caps.refund.daily_usd`. */
function namesOf(policy: PolicyDocument): string[] {
  return vendorPolicies(policy).flatMap((part) => {
    const at = policy.vendors === undefined ? "" : vendorPath(part.vendor!);
    const caps = (part["caps"] ?? {}) as CapsDocument;
    return Object.entries(caps).flatMap(([kind, cap]) => Object.keys(cap).map((name) => `${at}caps.${kind}.${name}`));
  });
}
