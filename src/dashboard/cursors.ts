import { useState } from "preact/hooks";

export interface Cursors {
  /** Of the page that is shown; undefined for the first. */
  readonly cursor: string | undefined;
  readonly isFirst: boolean;
  next(cursor: string): void;
  back(): void;
}

/** The way through a list whose pages have only a cursor to the next. `list` names it: another list begins anew. */
export function useCursors(list: string): Cursors {
  const [way, setWay] = useState<{ readonly list: string; readonly cursors: readonly string[] }>({ list, cursors: [] });
  const cursors = way.list === list ? way.cursors : [];
  return {
    cursor: cursors.at(-1),
    isFirst: cursors.length === 0,
    next: (cursor) => setWay({ list, cursors: [...cursors, cursor] }),
    back: () => setWay({ list, cursors: cursors.slice(0, -1) }),
  };
}
