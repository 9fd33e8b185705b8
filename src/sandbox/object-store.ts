/**
 * Objects by id, in the order in which they were made. Memory is bounded twice, by count and by size: beyond either the oldest
 * object is forgotten, so that a stuck loop against the sandbox cannot exhaust the process that also holds the proxy.
 */
export class ObjectStore<T extends { readonly id: string }> {
  readonly #objects = new Map<string, { readonly object: T; readonly characters: number }>();
  readonly #countMax: number;
  readonly #charactersMax: number;
  #characters = 0;

  /** `charactersMax` is of the objects' JSON. */
  constructor(countMax = 10_000, charactersMax = 16 * 1024 * 1024) {
    this.#countMax = countMax;
    this.#charactersMax = charactersMax;
  }

  get(id: string): T | undefined {
    return this.#objects.get(id)?.object;
  }

  /** Adds `object`, or replaces the one with its id, which keeps its place in the order. Returns `object`. */
  put(object: T): T {
    const characters = JSON.stringify(object).length;
    this.#characters += characters - (this.#objects.get(object.id)?.characters ?? 0);
    this.#objects.set(object.id, { object, characters });
    this.#forgetOldest();
    return object;
  }

  delete(id: string): boolean {
    this.#characters -= this.#objects.get(id)?.characters ?? 0;
    return this.#objects.delete(id);
  }

  newestFirst(): T[] {
    return Array.from(this.#objects.values(), (entry) => entry.object).reverse();
  }

  #forgetOldest(): void {
    for (const id of this.#objects.keys()) {
      const fits = this.#objects.size <= this.#countMax && this.#characters <= this.#charactersMax;
      if (fits || this.#objects.size === 1) return;
      this.delete(id);
    }
  }
}
