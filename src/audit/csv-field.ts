const FORMULA = /^[=+\-@\t\r]/;
const NEEDS_QUOTES = /[",\r\n]/;

/**
 * One field of a CSV record (RFC 4180); null is empty, an object is JSON text. A text that a spreadsheet would run as a
 * formula (an agent names its own run `=HYPERLINK(…)`) gets an apostrophe before it, which spreadsheets take for "this is
 * text" (OWASP, CSV injection).
 * @param isOurs numbers and times that Keybrake itself writes; nothing in them can be taken for a formula.
 */
export function csvField(value: unknown, isOurs: boolean): string {
  if (value === null || value === undefined) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  const inert = !isOurs && FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
