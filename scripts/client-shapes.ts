/**
 * The types of `clients/` that are made from the OpenAPI document: what issues a key, and what is answered.
 * `test/clients/shapes.test.ts` compares them with the document that the binary gives out, and writes them anew with
 * KEYBRAKE_UPDATE_SHAPES=1.
 */

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly $ref?: string;
}

export interface ShapesDocument {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** A language's spelling of the types that the document uses. */
interface Spelling {
  readonly scalars: Readonly<Record<string, string>>;
  literal(values: readonly string[]): string;
  list(item: string): string;
  map(value: string): string;
  /** Undefined where the language names no objects in passing: then their values are of any type. */
  object?(fields: readonly string[]): string;
  field(name: string, type: string, isRequired: boolean): string;
}

const NAMES = ["IssueKey", "IssuedVaultKey"] as const;
const NOTE = "Made from the OpenAPI document by scripts/client-shapes.ts: not edited by hand.";

const PYTHON: Spelling = {
  scalars: { string: "str", number: "float", integer: "int", boolean: "bool", null: "None", unknown: "object" },
  literal: (values) => `Literal[${values.map((value) => JSON.stringify(value)).join(", ")}]`,
  list: (item) => `Sequence[${item}]`,
  map: (value) => `Mapping[str, ${value}]`,
  field: (name, type) => `    ${name}: ${type}`,
};

const TYPESCRIPT: Spelling = {
  scalars: {
    string: "string",
    number: "number",
    integer: "number",
    boolean: "boolean",
    null: "null",
    unknown: "unknown",
  },
  literal: (values) => values.map((value) => JSON.stringify(value)).join(" | "),
  list: (item) => `readonly ${/[ |]/.test(item) && !item.startsWith("{") ? `(${item})` : item}[]`,
  map: (value) => `Readonly<Record<string, ${value}>>`,
  object: (fields) => `{ ${fields.join(" ")} }`,
  field: (name, type, isRequired) => `readonly ${name}${isRequired ? "" : "?"}: ${type};`,
};

function typeOf(schema: Schema, spelling: Spelling): string {
  const { scalars } = spelling;
  if (schema.enum) return spelling.literal(schema.enum);
  if (schema.anyOf) return [...new Set(schema.anyOf.map((one) => typeOf(one, spelling)))].join(" | ");
  // A shape of its own, which is looked at and not written: its fields are in the server's own pages.
  if (schema.$ref !== undefined) return spelling.map(scalars["unknown"]!);
  if (schema.type === "array") return spelling.list(typeOf(schema.items ?? {}, spelling));
  if (schema.properties) {
    return spelling.object?.(fieldsOf(schema, spelling)) ?? spelling.map(scalars["unknown"]!);
  }
  if (schema.type === "object") {
    const value = typeof schema.additionalProperties === "object" ? schema.additionalProperties : {};
    return spelling.map(typeOf(value, spelling));
  }
  return scalars[schema.type ?? "unknown"] ?? scalars["unknown"]!;
}

function fieldsOf({ properties = {}, required = [] }: Schema, spelling: Spelling): readonly string[] {
  return Object.entries(properties).map(([name, schema]) =>
    spelling.field(name, typeOf(schema, spelling), required.includes(name)),
  );
}

/** `clients/python/src/keybrake/shapes.py`. */
export function pythonShapes({ components }: ShapesDocument): string {
  const classes = NAMES.map((name) => {
    const schema = components.schemas[name]!;
    const isPartial = (schema.required ?? []).length === 0;
    return `class ${name}(TypedDict${isPartial ? ", total=False" : ""}):\n${fieldsOf(schema, PYTHON).join("\n")}\n`;
  });
  return `"""${NOTE}"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict


${classes.join("\n\n")}`;
}

/** `clients/typescript/src/shapes.ts`, before it is formatted. */
export function typescriptShapes({ components }: ShapesDocument): string {
  const interfaces = NAMES.map((name) => {
    const fields = fieldsOf(components.schemas[name]!, TYPESCRIPT);
    return `export interface ${name} {\n${fields.map((field) => `  ${field}`).join("\n")}\n}\n`;
  });
  return `/** ${NOTE} */\n\n${interfaces.join("\n")}`;
}
