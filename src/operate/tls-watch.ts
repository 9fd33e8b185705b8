import type { TlsFiles } from "../config.ts";
import type { Clock } from "../core/clock.ts";
import { causeText, type Log } from "../log.ts";
import { fileStamp } from "../policy/file-stamp.ts";
import { readTlsPair, type TlsPair } from "./tls-pair.ts";

const LOOK_EVERY_MS = 5_000;
const TELL_EVERY_MS = 86_400_000;
/** An authority's clients renew a month before; whoever is this late has been forgotten. */
export const EXPIRES_SOON_MS = 14 * 86_400_000;

export interface TlsWatchOptions {
  readonly files: TlsFiles;
  readonly clock: Clock;
  readonly log: Log;
  /** Makes the listeners speak with this pair. */
  readonly renew: (pair: TlsPair) => Promise<void>;
}

/**
 * Notices a renewed certificate by its files and puts it in force, without a restart or a signal: who renews, be it a
 * timer or a mounted secret, need not know this process. A pair that is not sound, such as one that is half written, is
 * told once and changes nothing.
 */
export class TlsWatch {
  readonly #options: TlsWatchOptions;
  #inForce: TlsPair;
  /** Of the files that were last judged. */
  #stamp: string;
  #toldAtMs: number | undefined;

  constructor(options: TlsWatchOptions, inForce: TlsPair, stamp: string) {
    this.#options = options;
    this.#inForce = inForce;
    this.#stamp = stamp;
  }

  /** Never throws. */
  async look(): Promise<void> {
    const stamp = stampOf(this.#options.files);
    if (stamp !== this.#stamp) await this.#renew(stamp);
    this.#tellOfExpiry();
  }

  async #renew(stamp: string): Promise<void> {
    const { files, clock, log, renew } = this.#options;
    try {
      const pair = readTlsPair(files, clock.now());
      if (!isSame(pair, this.#inForce)) {
        await renew(pair);
        this.#inForce = pair;
        this.#toldAtMs = undefined;
        log.info("tls_renewed", { expires_at: new Date(pair.expiresAt).toISOString() });
      }
      this.#stamp = stamp;
    } catch (cause) {
      // Looked at again in any case: the listeners may be what failed.
      log.error("tls_renewal_failed", { cause: causeText(cause), hint: "the certificate from before stays in use" });
    }
  }

  #tellOfExpiry(): void {
    const { clock, log } = this.#options;
    const { expiresAt } = this.#inForce;
    if (expiresAt - clock.now() > EXPIRES_SOON_MS) return;
    const now = clock.elapsed();
    if (this.#toldAtMs !== undefined && now - this.#toldAtMs < TELL_EVERY_MS) return;
    this.#toldAtMs = now;
    log.error("tls_expires_soon", { expires_at: new Date(expiresAt).toISOString() });
  }
}

/** Tells one version of both files from the next. */
export function stampOf({ certFile, keyFile }: TlsFiles): string {
  return `${fileStamp(certFile)} ${fileStamp(keyFile)}`;
}

function isSame(one: TlsPair, other: TlsPair): boolean {
  return one.certificate === other.certificate && one.keyId === other.keyId;
}

/** Looks from now on; the function it gives ends that. */
export function startTlsWatch(watch: TlsWatch): () => Promise<void> {
  let looking = watch.look();
  const timer = setInterval(() => {
    looking = looking.then(() => watch.look());
  }, LOOK_EVERY_MS);
  return async () => {
    clearInterval(timer);
    await looking;
  };
}
