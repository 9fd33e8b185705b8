import { declareVendor } from "../declared.ts";
import type { Vendor } from "../vendor.ts";
import postmark from "./postmark.yaml";
import type { Declaration } from "./schema.ts";
import segment from "./segment.yaml";
import sendgrid from "./sendgrid.yaml";
import shopify from "./shopify.yaml";

/**
 * The vendors that Keybrake's own declarations declare. The files are read when the binary is built, and held against the
 * schema by a test: reading them at each start would cost every command more than all the rest of it.
 */
export function shippedVendors(): readonly Vendor[] {
  return [postmark, sendgrid, segment, shopify].flatMap(({ vendors }: { vendors: object }) =>
    Object.entries(vendors).map(([name, declaration]) =>
      declareVendor(name, scalarsAsText(declaration) as Declaration, "shipped"),
    ),
  );
}

/** Numbers as their text, as `readYaml` gives them. */
function scalarsAsText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(scalarsAsText);
  if (typeof value !== "object" || value === null) return typeof value === "number" ? String(value) : value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, scalarsAsText(each)]));
}
