import type { RefusalCode } from "../../core/verdict.ts";

/** What the strict parsers can say no with: 400, 413 and 415; and the listener with 429, where too much arrives at once. */
export type RejectionCode = Extract<
  RefusalCode,
  "request_rejected" | "body_too_large" | "encoding_unsupported" | "rate_exceeded"
>;

export interface Rejection {
  readonly code: RejectionCode;
  /** A sentence that names the thing and what to do; safe to send to the client and to log. */
  readonly message: string;
}

/** What a parser makes of its input. A parser throws only on a defect, never because of what it was given. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly rejection: Rejection };

export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function rejected(message: string, code: RejectionCode = "request_rejected"): Parsed<never> {
  return { ok: false, rejection: { code, message } };
}

/** The most that a message repeats of what the client sent. */
const QUOTED_CHARS_MAX = 80;

/**
 * The client's own text for a message: at most 80 printable ASCII characters in all, so that no message can carry a
 * terminal escape, a line break into a log, or a body.
 */
export function quoted(text: string): string {
  const shown = text.slice(0, QUOTED_CHARS_MAX).replace(/[^\x20-\x7e]/g, "?");
  return `"${text.length > QUOTED_CHARS_MAX ? `${shown.slice(0, QUOTED_CHARS_MAX - 3)}...` : shown}"`;
}
