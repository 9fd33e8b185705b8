import type { Path } from "./field-values.ts";
import type { PolicyDocument, PolicyFields } from "./policy.ts";
import { isMap } from "./rule-values.ts";
import { POLICY_FIELD_NAMES, VENDOR_FIELD_NAMES } from "./schema.ts";

/** What a change gives, and the fields that it takes away, which it says with null. */
export interface Change {
  readonly given: PolicyFields;
  readonly removed: readonly Path[];
}

/** Fields that are null at the top, and within vendors; what is null and no field stays, for the reader to refuse. */
export function splitChange(fields: PolicyFields): Change {
  const top = splitNulls(fields, POLICY_FIELD_NAMES);
  const { vendors, ...given } = top.given;
  const removed: Path[] = top.removed.map((name) => [name]);
  if (!isMap(vendors)) return { given: top.given, removed };
  const parts = Object.entries(vendors).map(([vendor, part]) => {
    if (!isMap(part)) return [vendor, part] as const;
    const own = splitNulls(part, VENDOR_FIELD_NAMES);
    removed.push(...own.removed.map((name) => ["vendors", vendor, name]));
    return [vendor, own.given] as const;
  });
  return { given: { ...given, vendors: Object.fromEntries(parts) }, removed };
}

/** The policy after a change: fields are replaced one by one, of each vendor's part too; `given` is canonical. */
export function changedFields(policy: PolicyDocument, given: PolicyFields, removed: readonly Path[]): PolicyFields {
  const { vendors, ...top } = policy;
  const { vendors: parts, ...fields } = given as PolicyDocument;
  const changed = { ...without(top, removed, []), ...fields };
  if (vendors === undefined) return parts === undefined ? changed : { ...changed, vendors: parts };
  const merged = Object.entries(vendors).map(([name, own]) => {
    return [name, { ...without(own, removed, ["vendors", name]), ...parts?.[name] }] as const;
  });
  return { ...changed, vendors: Object.fromEntries(merged) };
}

function splitNulls(
  fields: PolicyFields,
  known: ReadonlySet<string>,
): { readonly given: PolicyFields; readonly removed: readonly string[] } {
  const removed = Object.keys(fields).filter((name) => fields[name] === null && known.has(name));
  return { given: Object.fromEntries(Object.entries(fields).filter(([name]) => !removed.includes(name))), removed };
}

function without(fields: PolicyFields, removed: readonly Path[], within: Path): PolicyFields {
  const names = removed.filter((path) => path.slice(0, -1).join() === within.join()).map((path) => path.at(-1));
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}
