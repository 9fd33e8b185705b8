import { useEffect, useState } from "preact/hooks";

/** A value that several places of the page look at; who looks is told of each change. */
export class Cell<Value> {
  #value: Value;
  readonly #watchers = new Set<(value: Value) => void>();

  constructor(value: Value) {
    this.#value = value;
  }

  get value(): Value {
    return this.#value;
  }

  set(value: Value): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const watcher of [...this.#watchers]) watcher(value);
  }

  /** Returns what ends the watching. */
  watch(watcher: (value: Value) => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }
}

/** The cell's value, for a component that is drawn anew when it changes. */
export function useCell<Value>(cell: Cell<Value>): Value {
  const [value, setValue] = useState(cell.value);
  useEffect(() => {
    // It may have changed between the first drawing and this effect.
    setValue(() => cell.value);
    return cell.watch((next) => setValue(() => next));
  }, [cell]);
  return value;
}
