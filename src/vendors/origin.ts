import type { Vendor } from "./vendor.ts";

const ACCOUNT = "{account}";

/** The origin of a vendor whose every account has a host of its own (`https://{account}.myshopify.com`); undefined for others. */
export function accountOrigin({ origin }: Vendor, accountId: string): string | undefined {
  return origin.includes(ACCOUNT) ? origin.replaceAll(ACCOUNT, accountId) : undefined;
}
