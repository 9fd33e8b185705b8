import { inspect } from "node:util";

const REDACTED = "[redacted]";

/** A secret that prints as `[redacted]` in strings, JSON and inspection. Only `reveal` gives it out, and a test limits who calls that. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
