import { between, randomFrom } from "../../scripts/random.ts";

/** Choices that a seed repeats. */
export class Random {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = randomFrom(seed);
  }

  /** 0 to `below` - 1. */
  below(below: number): number {
    return between(this.#next, 0, below);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }
}
