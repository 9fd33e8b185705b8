import { Cell } from "./cell.ts";

const wish = matchMedia("(prefers-color-scheme: dark)");

/** Whether the system is dark, for what is drawn and not styled. */
export const darkness = new Cell(wish.matches);
wish.addEventListener("change", () => darkness.set(wish.matches));

export interface Colours {
  readonly series: readonly string[];
  readonly text: string;
  readonly line: string;
}

const SERIES = 8;

/** The style sheet's colours as a canvas takes them. */
export function colours(element: HTMLElement): Colours {
  // A custom property is text; only a property that takes a colour makes one of it.
  const probe = document.createElement("span");
  element.append(probe);
  const read = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const found = {
    series: Array.from({ length: SERIES }, (_, index) => read(`--series-${index}`)),
    text: read("--muted"),
    line: read("--line"),
  };
  probe.remove();
  return found;
}
