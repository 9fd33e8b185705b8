import { shippedVendors } from "./declared/shipped.ts";
import { resend } from "./resend.ts";
import { stripe } from "./stripe.ts";
import { twilio } from "./twilio.ts";
import type { Vendor } from "./vendor.ts";

/** The vendors that are written in code. */
export const CODED_VENDORS: readonly Vendor[] = [stripe, twilio, resend];

/** The vendors that Keybrake knows by itself; what `keybrake.yaml` declares comes after them (`Config.vendors`). */
export const VENDORS: readonly Vendor[] = [...CODED_VENDORS, ...shippedVendors()];

export function vendorNamed(name: string, vendors: readonly Vendor[] = VENDORS): Vendor | undefined {
  return vendors.find((vendor) => vendor.name === name);
}

/** The vendor that a path without a vendor prefix is taken for: `/v1/charges` is Stripe's. */
export function vendorForPath(path: string, vendors: readonly Vendor[] = VENDORS): Vendor | undefined {
  return vendors.find((vendor) => vendor.unprefixed.test(path));
}
