import type { VendorUsdDocument } from "./cap-values.ts";
import type { Path, Report } from "./field-values.ts";
import { pathText } from "./field-values.ts";
import type { PolicyFields } from "./policy.ts";
import { POLICY_FIELDS, type PolicyField } from "./schema.ts";

const FIELDS = new Map<string, PolicyField>(POLICY_FIELDS.map((field) => [field.name, field]));

/** What to write at the top in place of a vendor's own field, where there is something. */
const JOINTLY: Readonly<Record<string, string>> = {
  daily_usd_cap: "daily_usd_cap_total counts all vendors together, per_vendor_daily_caps each by itself",
  daily_cap: "daily_usd_cap_total counts all vendors together",
  total_cap: "total_usd_cap counts all vendors together",
};

/** What to write for one vendor in place of a field for several. */
const ALONE: Readonly<Record<string, string>> = {
  daily_usd_cap_total: "use daily_usd_cap",
  per_vendor_daily_caps: "use daily_usd_cap",
};

/** Reports fields at the top of a policy for one vendor that only one for several has. */
export function checkOneVendor(fields: PolicyFields, vendor: string, report: Report): void {
  for (const name of Object.keys(fields)) {
    if (FIELDS.get(name)?.place !== "several") continue;
    const instead = ALONE[name] ?? "name them all under vendors, in place of vendor";
    report([name], `${name} is for a key of several vendors, and this one is for ${vendor}; ${instead}`);
  }
}

/** Reports fields at the top of a policy for the several `vendors` that each of them has for itself. */
export function checkSeveralVendors(fields: PolicyFields, vendors: readonly string[], report: Report): void {
  for (const name of Object.keys(fields)) {
    if (name === "vendor")
      report([name], "vendor and vendors are both given, and a key is for one vendor or for several; give one of them");
    else if (FIELDS.get(name)?.place === "vendor") report([name], ownField(name, vendors));
  }
}

/** Reports caps of vendors that the policy is not for. */
export function checkCappedVendors(fields: PolicyFields, vendors: readonly string[], report: Report): void {
  for (const name of Object.keys((fields["per_vendor_daily_caps"] ?? {}) as VendorUsdDocument)) {
    if (vendors.includes(name)) continue;
    const path = ["per_vendor_daily_caps", name];
    report(path, `${pathText(path)} is of a vendor that the key is not for; its vendors are ${vendors.join(", ")}`);
  }
}

/** Reports a field of the key as a whole that stands within one vendor's; true where it does. */
export function isMisplaced(name: string, path: Path, report: Report): boolean {
  const place = FIELDS.get(name)?.place;
  if (place !== "key" && place !== "several") return false;
  const meant =
    name === "vendor" || name === "vendors"
      ? "the name before it says which vendor"
      : `put ${name} at the top, beside vendors`;
  report(path, `${pathText(path)} is the key's as a whole, not one vendor's; ${meant}`);
  return true;
}

function ownField(name: string, [first = "stripe"]: readonly string[]): string {
  const jointly = JOINTLY[name] === undefined ? "" : `; ${JOINTLY[name]}`;
  return `${name} is each vendor's own where a key is for several; put it under vendors, like vendors.${first}.${name}${jointly}`;
}
