import type { KeyView } from "../operate/control-plane.ts";

/** The vendors that a key is for, as text. */
export function vendorsOf({ vendors }: Pick<KeyView, "vendors">): string {
  return vendors.join(", ");
}
