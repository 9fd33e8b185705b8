import type { Voice } from "./voice.ts";
import { grouped } from "./wording.ts";

/** A line on a terminal that says how far something is; nothing where stderr is no terminal. */
export class Progress {
  readonly #voice: Voice;
  readonly #what: string;
  #shown = false;

  constructor(voice: Voice, what: string) {
    this.#voice = voice;
    this.#what = what;
  }

  show(done: number, of?: number): void {
    const share = of ? ` of ${grouped(of)} (${Math.floor((100 * done) / of)} %)` : "";
    this.#shown = this.#voice.noteOver(`${grouped(done)}${share} ${this.#what}`) || this.#shown;
  }

  end(): void {
    if (this.#shown) this.#voice.noteOver("");
  }
}
