import { VENDORS, vendorNamed } from "../../../src/vendors/index.ts";
import type { Vendor } from "../../../src/vendors/vendor.ts";

/** The vendors that are declared and come with Keybrake. */
export const segment = shipped("segment");
export const sendgrid = shipped("sendgrid");
export const postmark = shipped("postmark");
export const shopify = shipped("shopify");

function shipped(name: string): Vendor {
  const vendor = vendorNamed(name, VENDORS);
  if (!vendor) throw new Error(`${name} does not come with Keybrake`);
  return vendor;
}
