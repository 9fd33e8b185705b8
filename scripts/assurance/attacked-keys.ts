import { ledgerViolations, type SentCall, type VendorCall } from "./ledger-violations.ts";
import type { Key, Rig } from "./rig.ts";
import type { ServerProcess } from "./server-process.ts";

/** A key that was under load while something broke: what its agent has sent, and what of that the vendor has seen. */
export interface AttackedKey {
  readonly key: Key;
  readonly capUsd: number;
  readonly sent: readonly SentCall[];
  readonly seen: readonly VendorCall[];
}

/** What of the ledger's promises does not hold for the key, as `server` tells it. */
export async function violationsOf(rig: Rig, server: ServerProcess, attacked: AttackedKey): Promise<string[]> {
  const [rows, usedUsd] = await Promise.all([rig.rows(server, attacked.key), rig.usedUsd(server, attacked.key)]);
  return ledgerViolations({ ...attacked, rows, usedUsd });
}

/** For all keys together: the lease of a server that was killed runs out in 15 seconds. */
const SWEPT_MS_MAX = 60_000;
const SWEPT_LOOK_MS = 500;

/** In the end no call is held any more, what was unknown still counts in full, and doctor finds nothing. */
export async function violationsInTheEnd(
  rig: Rig,
  server: ServerProcess,
  keys: readonly AttackedKey[],
): Promise<string[]> {
  const wrong: string[] = [];
  const beganMs = performance.now();
  for (const attacked of keys) {
    const held = async () => (await rig.rows(server, attacked.key)).filter(({ state }) => state === "held");
    while ((await held()).length > 0 && performance.now() - beganMs < SWEPT_MS_MAX) await Bun.sleep(SWEPT_LOOK_MS);
    wrong.push(...(await held()).map(({ id }) => `${id} is held for ever`));
    wrong.push(...(await violationsOf(rig, server, attacked)).map((text) => `in the end: ${text}`));
  }
  return [...wrong, ...(await rig.doctor())];
}
