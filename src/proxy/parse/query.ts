import { type Fields, NO_FIELDS } from "../../core/call.ts";
import { foldName } from "./field-names.ts";
import { type FormOptions, parseForm } from "./form.ts";
import { type Parsed, parsed, quoted, rejected } from "./rejection.ts";

/** Reads a raw query (without `?`) by the rules of a form body. */
export function parseQuery(query: string, options: FormOptions): Parsed<Fields> {
  return query === "" ? parsed(NO_FIELDS) : parseForm(query, options);
}

const NOTHING_SHARED = parsed<true>(true);

/**
 * Refuses a parameter that stands in the query and in the body: vendors differ in which of the two wins. Compared by
 * the name before the first bracket and without letter case, so that `amount`, `Amount` and `amount[0]` are one.
 */
export function rejectSharedFields(queryFields: Fields, bodyFields: Fields): Parsed<true> {
  if (queryFields.size === 0 || bodyFields.size === 0) return NOTHING_SHARED;
  const roots = new Set<string>();
  for (const name of queryFields.keys()) roots.add(root(name));
  for (const name of bodyFields.keys()) {
    if (roots.has(root(name)))
      return rejected(`The field ${quoted(name)} is in the query and in the body; send it once, in the body.`);
  }
  return NOTHING_SHARED;
}

function root(name: string): string {
  const bracket = name.indexOf("[");
  return foldName(bracket === -1 ? name : name.slice(0, bracket));
}
