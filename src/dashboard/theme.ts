import { Cell } from "./cell.ts";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const REMEMBERED_AS = "keybrake-theme";

export const theme = new Cell<Theme>(remembered());

/** Dresses the page, and remembers it for the next visit. It is no secret; nothing else is ever kept in the browser. */
export function wear(next: Theme): void {
  theme.set(next);
  document.documentElement.dataset["theme"] = next;
  try {
    localStorage.setItem(REMEMBERED_AS, next);
  } catch {
    // A browser that keeps nothing forgets this, too.
  }
}

function remembered(): Theme {
  try {
    const name = localStorage.getItem(REMEMBERED_AS);
    return THEMES.find((one) => one === name) ?? "system";
  } catch {
    return "system";
  }
}
