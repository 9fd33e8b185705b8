import { refuseUnsafeEnvironment } from "../config.ts";
import { Problem } from "../core/problem.ts";
import { accountOrigin } from "../vendors/origin.ts";
import type { Vendor } from "../vendors/vendor.ts";
import type { VendorTestView } from "./control-plane.ts";
import { knownVendor, vendorRecord } from "./known-vendor.ts";
import type { ControlPlaneOptions } from "./options.ts";
import { storedSecret } from "./vendors.ts";

const TIMEOUT_MS = 10_000;

/**
 * One cheap read at the vendor with the real secret. What comes back is a status and a sentence of our own: never the
 * vendor's body, which may repeat the credential, nor the text of an error, which may hold the URL.
 * @throws Problem where the vendor is unknown or has no secret, or the environment would let the secret out.
 */
export async function probeVendor(options: ControlPlaneOptions, name: string): Promise<VendorTestView> {
  const vendor = knownVendor(options.vendors, name);
  const record = await vendorRecord(options.store, name);
  const secret = storedSecret(options, record, name);
  refuseUnsafeEnvironment(options.environment);
  if (vendor.probePath === "") {
    throw new Problem(
      "invalid",
      `${name} has no read that could try its secret`,
      "issue a key and make one call; `keybrake audit` shows what became of it",
    );
  }
  const { accountId, username, origin } = record!;
  const url = `${origin ?? accountOrigin(vendor, accountId) ?? vendor.origin}${vendor.probePath.replace("{account}", accountId)}`;
  const credential = vendor.writeCredential({ secret: secret.reveal(), username, accountId });
  try {
    const response = await fetch(url, {
      headers: { "user-agent": "keybrake", ...Object.fromEntries(credential) },
      // A redirect would take the credential along to wherever it points.
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.body?.cancel();
    const ok = response.status >= 200 && response.status < 300;
    return { name, ok, http_status: response.status, message: verdict(vendor, response.status) };
  } catch (cause) {
    return { name, ok: false, http_status: null, message: unreachable(vendor, new URL(url).host, cause) };
  }
}

function verdict({ title }: Vendor, status: number): string {
  if (status >= 200 && status < 300) return `${title} accepts the secret`;
  if (status === 401) return `${title} does not accept the secret: copy it again, and check that it was not revoked`;
  if (status === 403) {
    return `${title} knows the secret and does not let it do this read; a restricted key may still do what agents need`;
  }
  if (status === 429) return `${title} has had too many requests; try again in a minute`;
  if (status >= 300 && status < 400) return `${title} answers with a redirect, which is not followed: check the origin`;
  return `${title} answers ${status}; try again later, or check the origin`;
}

function unreachable({ title }: Vendor, host: string, cause: unknown): string {
  if (cause instanceof DOMException && cause.name === "TimeoutError") {
    return `${title} (${host}) did not answer within ${TIMEOUT_MS / 1000} s`;
  }
  const code = (cause as { code?: unknown }).code;
  return `${title} (${host}) cannot be reached${typeof code === "string" ? `: ${code}` : ""}`;
}
