/**
 * Bounds what the bodies of all requests take at once. Bodies are read before anybody knows whose they are, so without
 * a bound a few hundred clients without a key could fill the memory.
 */
export class BodyMemory {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Sets `bytes` aside and gives what frees them again; undefined where there is no room now. */
  reserve(bytes: number): (() => void) | undefined {
    if (this.#bytes + bytes > this.#bytesMax) return undefined;
    this.#bytes += bytes;
    return () => {
      this.#bytes -= bytes;
    };
  }
}
