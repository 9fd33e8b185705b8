import { VENDOR_CASES, type VendorName } from "./vendors.ts";

/** The ways in which an agent is told no. */
export const REFUSALS = ["revoked", "denied", "capped", "unconfigured", "frozen"] as const;
export type RefusalName = (typeof REFUSALS)[number];

interface RefusalCase {
  /** Half a title. */
  readonly what: string;
  readonly verdict: string;
}

export const REFUSAL_CASES: Readonly<Record<RefusalName, RefusalCase>> = {
  revoked: { what: "a revoked key", verdict: "key_revoked" },
  denied: { what: "an endpoint that the policy does not allow", verdict: "endpoint_denied" },
  capped: { what: "a cap", verdict: "cap_exceeded" },
  unconfigured: { what: "a vendor without a secret", verdict: "vendor_not_configured" },
  frozen: { what: "a store that nobody vouches for", verdict: "store_unavailable" },
};

/** With what Keybrake answers. */
export function statusOf(vendor: VendorName, refusal: RefusalName): number {
  return { revoked: 401, denied: 403, capped: VENDOR_CASES[vendor].capStatus, unconfigured: 503, frozen: 503 }[refusal];
}

/** What an agent must be able to read: what it asked for, the numbers, and what to do. @param called where it is not the vendor's usual call. */
export function sentenceOf(
  vendor: VendorName,
  refusal: RefusalName,
  called: string = VENDOR_CASES[vendor].called,
): string {
  const { otherEndpoint, capSentence } = VENDOR_CASES[vendor];
  switch (refusal) {
    case "revoked":
      return "Keybrake: This vault key has been revoked. The operator said: stuck loop. Stop this run.";
    case "denied":
      return `Keybrake: ${called} is not allowed by this key's policy (allowed: ${otherEndpoint}). Do not retry.`;
    case "capped":
      return `Keybrake: The cap ${capSentence}`;
    case "unconfigured":
      return `Keybrake: No secret is configured for ${vendor}; the operator must run \`keybrake vendor set ${vendor}\`.`;
    case "frozen":
      return "Keybrake: No vault key works here at the moment: the data directory was restored from a backup of ";
  }
}
