import type { Schema } from "./openapi.ts";

/** An example of what a schema describes, put together from the examples of its parts. */
export function exampleOf(schema: Schema): unknown {
  if (schema.examples) return schema.examples[0];
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) return exampleOf(schema.anyOf[0]!);
  switch (schema.type) {
    case "object":
      return objectExample(schema);
    case "array":
      return schema.items ? [exampleOf(schema.items)] : [];
    case "boolean":
      return true;
    case "null":
      return null;
    case "integer":
    case "number":
      return 0;
    default:
      return "";
  }
}

/** Optional fields without an example of their own say nothing, and are left out. */
function objectExample({ properties = {}, required = [] }: Schema): Readonly<Record<string, unknown>> {
  const shown = Object.entries(properties).filter(([name, { examples }]) => examples || required.includes(name));
  return Object.fromEntries(shown.map(([name, part]) => [name, exampleOf(part)]));
}
