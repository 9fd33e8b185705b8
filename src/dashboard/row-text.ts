import type { Row } from "./stream.ts";

/** A field of an audit row as text; empty where it has none. */
export function text(row: Row, name: string): string {
  const value = row[name];
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
