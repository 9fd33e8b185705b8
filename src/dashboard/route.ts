import { Cell, useCell } from "./cell.ts";

/** Where the page is: the part of its address behind the #. */
export interface Place {
  /** `keys`, `runs`, …; empty for the first page. */
  readonly page: string;
  /** What the page shows of it: a key's id, a run's label. */
  readonly item: string | undefined;
  /** What it is narrowed by. */
  readonly query: URLSearchParams;
}

const place = new Cell(readPlace(location.hash));
window.addEventListener("hashchange", () => place.set(readPlace(location.hash)));

export function usePlace(): Place {
  return useCell(place);
}

/** The address of a page, for links. */
export function linkTo(page: string, item?: string, query: Readonly<Record<string, string>> = {}): string {
  const path = item === undefined ? page : `${page}/${encodeURIComponent(item)}`;
  const given = Object.entries(query).filter(([, value]) => value !== "");
  return given.length === 0 ? `#/${path}` : `#/${path}?${new URLSearchParams(given)}`;
}

export function goTo(link: string): void {
  location.hash = link;
}

function readPlace(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [page = "", item] = path.split("/", 2);
  return { page, item: item === undefined ? undefined : decoded(item), query: new URLSearchParams(query) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // An address that somebody typed.
    return text;
  }
}
