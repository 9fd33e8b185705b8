import type { FindingView } from "./about.ts";
import type { ControlPlaneOptions } from "./options.ts";
import { readTlsPair } from "./tls-pair.ts";
import { EXPIRES_SOON_MS } from "./tls-watch.ts";

const DAY_MS = 86_400_000;

/** The certificate, where there is one: whether it is sound, for how long, and for the name that agents are told. */
export function tls({ config, clock }: Pick<ControlPlaneOptions, "config" | "clock">): Omit<FindingView, "check">[] {
  if (!config.tls) return [];
  const now = clock.now();
  const { expiresAt, covers } = readTlsPair(config.tls, now);
  const { hostname } = new URL(config.publicUrl);
  const host = hostname.replace(/^\[|\]$/g, "");
  const { certFile } = config.tls;
  if (!covers(host)) {
    const hint = "set public_url to a name that stands in the certificate, or get one with this name";
    return [
      { level: "error", message: `the certificate in ${certFile} is not for ${host}; agents will refuse it`, hint },
    ];
  }
  const days = Math.floor((expiresAt - now) / DAY_MS);
  const message = `the certificate in ${certFile} is good for ${host} until ${new Date(expiresAt).toISOString()} (${days} days)`;
  if (expiresAt - now > EXPIRES_SOON_MS) return [{ level: "ok", message, hint: null }];
  return [{ level: "warning", message, hint: "renew it; a running server takes the new files by itself" }];
}
