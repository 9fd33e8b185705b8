import type { Bench, CliResult } from "./keybrake.ts";

/** Twilio's account in every test that runs the binary. */
export const ACCOUNT_SID = `AC${"0123456789abcdef".repeat(2)}`;

export interface VendorAccount {
  /** Of the double that stands for the vendor. */
  readonly origin: string;
  readonly secret: string;
  /** Flags of `vendor set` that this vendor needs beside its address. */
  readonly settings?: readonly string[];
}

/** Gives the bench's installation a vendor's real secret, as an operator does. @throws Error where it is not taken. */
export async function setVendor(
  { cli }: Pick<Bench, "cli">,
  vendor: string,
  { origin, secret, settings = [] }: VendorAccount,
): Promise<CliResult> {
  const account = vendor === "twilio" ? ["--account-sid", ACCOUNT_SID] : [];
  const result = await cli(["vendor", "set", vendor, "--origin", origin, "--private", ...account, ...settings], {
    stdin: secret,
  });
  if (result.code !== 0) throw new Error(`keybrake vendor set ${vendor} exited ${result.code}: ${result.stderr}`);
  return result;
}
