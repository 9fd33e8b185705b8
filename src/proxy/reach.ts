import { lookup } from "node:dns/promises";
import { isAddress, isPublicAddress } from "../core/address.ts";
import type { Clock } from "../core/clock.ts";

/** All addresses of a name. Throws where it has none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

const resolveName: Resolve = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

const ANSWER_KEPT_MS = 30_000;

/**
 * Keeps a vendor's name from leading inside (a poisoned resolver, a hosts file): every address that it resolves to must
 * be public. What fetch resolves a moment later may differ; the certificate that it checks for the name is what holds then.
 */
export class Reach {
  readonly #clock: Clock;
  readonly #resolve: Resolve;
  readonly #known = new Map<string, { readonly at: number; readonly isPublic: Promise<boolean> }>();

  constructor(clock: Clock, resolve: Resolve = resolveName) {
    this.#clock = clock;
    this.#resolve = resolve;
  }

  /** False where the host of `url` is, or resolves to, an address that is not public. A name without address is fetch's to report. */
  async isPublic(url: string): Promise<boolean> {
    const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
    if (isAddress(host)) return isPublicAddress(host);
    const now = this.#clock.elapsed();
    const known = this.#known.get(host);
    if (known && now - known.at < ANSWER_KEPT_MS) return known.isPublic;
    const isPublic = this.#resolve(host).then(
      (addresses) => addresses.every(isPublicAddress),
      () => true,
    );
    this.#known.set(host, { at: now, isPublic });
    return isPublic;
  }
}
