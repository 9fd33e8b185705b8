import { resend } from "./resend.ts";
import { stripe } from "./stripe.ts";
import { twilio } from "./twilio.ts";
import type { Vendor } from "./vendor.ts";

/** The vendors that Keybrake knows by itself. */
export const VENDORS: readonly Vendor[] = [stripe, twilio, resend];

export function vendorNamed(name: string): Vendor | undefined {
  return VENDORS.find((vendor) => vendor.name === name);
}

/** The vendor that a path without a vendor prefix is taken for: `/v1/charges` is Stripe's. */
export function vendorForPath(path: string): Vendor | undefined {
  return VENDORS.find((vendor) => vendor.unprefixed.test(path));
}
