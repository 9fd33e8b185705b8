/**
 * Values by the beginning of a text. Finding those of a text takes as many steps as there are different lengths of prefixes,
 * however many prefixes there are.
 */
export class PrefixIndex<Value> {
  readonly #byPrefix = new Map<string, Value>();
  readonly #lengths = new Set<number>();

  /** The value of exactly this prefix; `make` gives a new one. */
  at(prefix: string, make: () => Value): Value {
    const found = this.#byPrefix.get(prefix);
    if (found !== undefined) return found;
    const made = make();
    this.#byPrefix.set(prefix, made);
    this.#lengths.add(prefix.length);
    return made;
  }

  /** What stands under every prefix that `text` begins with, in no particular order. */
  within(text: string): readonly { readonly prefix: string; readonly value: Value }[] {
    const found: { readonly prefix: string; readonly value: Value }[] = [];
    for (const length of this.#lengths) {
      if (length > text.length) continue;
      const prefix = text.slice(0, length);
      const value = this.#byPrefix.get(prefix);
      if (value !== undefined) found.push({ prefix, value });
    }
    return found;
  }
}
