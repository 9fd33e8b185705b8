import { type DataPath, type Position, readYaml } from "../core/yaml-data.ts";
import type { PolicyDocument, PolicyFields } from "./policy.ts";
import { isMap } from "./rule-values.ts";
import { POLICY_FIELD_NAMES } from "./schema.ts";
import { EVERY_INPUT, type Template, WHOLE_INPUT } from "./template.ts";

const LIST_ENTRY = /^([a-z_]+)\[(\d+)\]$/;
const PARAMETER_RULE = /^parameters\.(.+)\.([a-z_]+)$/;

/**
 * The path within a policy of the rule that decided, as verdicts and audit rows write it (`allowed_endpoints[0]`,
 * `parameters.metadata[order_id].matches`, `caps.refund.daily_usd`, `vendors.twilio.daily_send_cap`); undefined for what is
 * no rule of a policy: the vendor's own declaration, a brake.
 */
export function rulePath(rule: string): DataPath | undefined {
  const [, list, index] = LIST_ENTRY.exec(rule) ?? [];
  const [, parameter, word] = PARAMETER_RULE.exec(rule) ?? [];
  const path: DataPath =
    list !== undefined
      ? [list, Number(index)]
      : parameter !== undefined
        ? ["parameters", parameter, word!]
        : rule.split(".");
  // `vendor` is what the vendor's own declaration refuses by, not the field that names it.
  return rule !== "vendor" && POLICY_FIELD_NAMES.has(String(path[0])) ? path : undefined;
}

/**
 * Line and column, in the template's file, of the rule that decided a call to `vendor` by `policy`, which the template was
 * filled to. Undefined where the file has no such rule (the default of `allowed_currencies`), and for what is no rule of a
 * policy.
 */
export function rulePlace(
  template: Template,
  policy: PolicyDocument,
  rule: string,
  vendor: string,
): Position | undefined {
  const path = rulePath(rule);
  if (!path) return undefined;
  const field = String(path[0]);
  const within = partsFor(template, vendor).find((part) => mapAt(template.fields, part)[field] !== undefined);
  if (!within) return undefined;
  const [, index] = path;
  const [written, filled] = [mapAt(template.fields, within)[field], mapAt(policy, within)[field]];
  const own = typeof index === "number" ? [field, writtenIndex(written, filled, index)] : path;
  return readYaml(template.text).positionOf([...within, ...own], "key");
}

/** Where a field can stand that holds for `vendor`: among its own, and at the top. */
function partsFor({ fields }: Template, vendor: string): readonly DataPath[] {
  return fields["vendors"] === undefined ? [[]] : [["vendors", vendor], []];
}

function mapAt(fields: PolicyFields, path: DataPath): PolicyFields {
  const found = path.reduce<unknown>((value, part) => (isMap(value) ? value[part] : undefined), fields);
  return isMap(found) ? found : {};
}

/**
 * Where the entry stands in the file's list: an input before it may have become several entries or none, and an entry that
 * was written twice counts once.
 */
function writtenIndex(written: unknown, filled: unknown, index: number): number {
  const entry = (filled as readonly unknown[] | undefined)?.[index];
  if (!Array.isArray(written) || entry === undefined) return index;
  const texts = written.map(String);
  const text = String(entry);
  // What is written out comes first: an input that is a whole entry could have become any.
  const isFilled = (one: string) => !WHOLE_INPUT.test(one) && mayBecome(one, text);
  const places = [texts.indexOf(text), texts.findIndex(isFilled), texts.findIndex((one) => mayBecome(one, text))];
  return places.find((place) => place !== -1) ?? index;
}

/** Whether `text` is `entry` once its inputs are filled. */
function mayBecome(text: string, entry: string): boolean {
  const parts = text.split(new RegExp(EVERY_INPUT.source)).filter((_part, place) => place % 2 === 0);
  if (parts.length === 1) return false;
  const literal = parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  return new RegExp(`^${literal.join(".+")}$`, "su").test(entry);
}
