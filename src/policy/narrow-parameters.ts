import { shown } from "./field-values.ts";
import { isMap, type RuleDocument } from "./rule-values.ts";

/** Says that a field of the request would widen the template's: field, template's value, given value. */
export type SayWider = (field: string, template: unknown, given: unknown) => void;

export type RulesDocument = Readonly<Record<string, RuleDocument>>;

/** Both sets of rules at once: a call passes the result only where it passes each. */
export function narrowParameters(base: RulesDocument, given: RulesDocument, sayWider: SayWider): RulesDocument {
  const merged = new Map(Object.entries(base));
  for (const [name, rule] of Object.entries(given)) {
    const before = merged.get(name);
    merged.set(name, before ? narrowRule(`parameters.${name}`, before, rule, sayWider) : rule);
  }
  return Object.fromEntries(merged);
}

function narrowRule(at: string, base: RuleDocument, given: RuleDocument, sayWider: SayWider): RuleDocument {
  const wider = (word: keyof RuleDocument) => sayWider(`${at}.${word}`, base[word], given[word]);
  const isWithinPrefix = (prefix: string) => base.prefix_in!.some((allowed) => prefix.startsWith(allowed));
  if (base.in && given.in && !given.in.every((value) => base.in!.includes(value))) wider("in");
  if (base.min !== undefined && given.min !== undefined && BigInt(given.min) < BigInt(base.min)) wider("min");
  if (base.max !== undefined && given.max !== undefined && BigInt(given.max) > BigInt(base.max)) wider("max");
  // Whether one regular expression admits less than another cannot be told from their texts.
  if (base.matches !== undefined && given.matches !== undefined && base.matches !== given.matches) wider("matches");
  if (base.prefix_in && given.prefix_in && !given.prefix_in.every(isWithinPrefix)) wider("prefix_in");
  const notIn = [...new Set([...(base.not_in ?? []), ...(given.not_in ?? [])])];
  return { ...base, ...given, ...(notIn.length > 0 && { not_in: notIn }) };
}

/** `[a, b, c]`, `500.00` or `500.00 eur`, as a message shows it. */
export function valueText(value: unknown): string {
  if (isMap(value) && "currency" in value) return `${value["amount"]} ${value["currency"]}`;
  if (isMap(value) && "reserve_usd" in value) return `reserve_usd=${value["reserve_usd"]}`;
  if (!Array.isArray(value)) return typeof value === "string" ? value : shown(value);
  const rest = value.length - 5;
  return `[${value.slice(0, 5).join(", ")}${rest > 0 ? `, … ${rest} more` : ""}]`;
}
