import { Cell } from "./cell.ts";

/** Something that was just done, said for a while, with what undoes it. */
export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly act?: { readonly text: string; readonly run: () => void };
}

export const toasts = new Cell<readonly Toast[]>([]);

/** Long enough to read it and to reach the button by keyboard. */
const SHOWN_MS = 20_000;
const AT_ONCE_MAX = 4;
let lastId = 0;

export function say(text: string, act?: Toast["act"]): void {
  const toast: Toast = { id: ++lastId, text, ...(act && { act }) };
  toasts.set([...toasts.value, toast].slice(-AT_ONCE_MAX));
  setTimeout(() => dismiss(toast.id), SHOWN_MS);
}

export function dismiss(id: number): void {
  toasts.set(toasts.value.filter((toast) => toast.id !== id));
}
