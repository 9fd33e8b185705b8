import { Problem } from "../core/problem.ts";
import type { PolicyDocument } from "../policy/policy.ts";
import { vendorsOf } from "../policy/vendor-policies.ts";
import type { Vendor } from "../vendors/vendor.ts";
import { checkVendorName } from "./known-vendor.ts";

/**
 * The vendor of a policy that a call written down as `path` is for: its only one, or the one that the path begins with, or
 * whose path alone it is.
 * @throws Problem `invalid` where that leaves none or several.
 */
export function calledVendor(vendors: readonly Vendor[], document: PolicyDocument, path: string): Vendor {
  const known = vendorsOf(document).map((name) => checkVendorName(vendors, name));
  const [only, ...others] = known;
  if (others.length === 0) return only!;
  const named = known.find(({ name }) => path.startsWith(`/${name}/`));
  if (named) return named;
  const likely = known.filter(({ unprefixed }) => unprefixed.test(path));
  if (likely.length === 1) return likely[0]!;
  const names = (likely.length > 0 ? likely : known).map(({ name }) => `/${name}`);
  throw new Problem(
    "invalid",
    `${path.slice(0, 60)} ${likely.length > 0 ? "may be a call to several vendors of the policy" : "is no path of the policy's vendors"}`,
    `begin it with ${names.slice(0, -1).join(", ")} or ${names.at(-1)}`,
  );
}
