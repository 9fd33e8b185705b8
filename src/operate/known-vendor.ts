import { nearestName } from "../core/nearest.ts";
import { Problem } from "../core/problem.ts";
import type { Store, VendorRecord } from "../store/store.ts";
import type { Vendor } from "../vendors/vendor.ts";
import { asInvalid } from "./as-invalid.ts";

/** @throws Problem `not_found` that names the nearest vendor, or all of them. */
export function knownVendor(vendors: readonly Vendor[], name: string): Vendor {
  const found = vendors.find((vendor) => vendor.name === name);
  if (found) return found;
  const names = vendors.map((vendor) => vendor.name);
  const nearest = nearestName(name, names);
  const meant = nearest ? `did you mean ${nearest}?` : `the vendors are ${names.join(", ")}`;
  throw new Problem("not_found", `there is no vendor ${JSON.stringify(name.slice(0, 60))}; ${meant}`);
}

/** As `knownVendor`, for a vendor that a request names in passing: the request is what is wrong then. */
export function checkVendorName(vendors: readonly Vendor[], name: string): Vendor {
  return asInvalid(() => knownVendor(vendors, name));
}

/** The stored settings of a vendor; undefined where it was never set up. */
export async function vendorRecord(store: Store, name: string): Promise<VendorRecord | undefined> {
  return (await store.listVendors()).find((record) => record.name === name);
}
