import type { OpenApi, Schema } from "./openapi.ts";

/**
 * The document with each schema that has a title under `components`, so that a generated client has one type for it.
 * @throws Error where two schemas have the same title.
 */
export function withNamedSchemas<Document extends OpenApi>(document: Document): Document {
  const named = new Map<string, Schema>();
  const moved = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(moved);
    if (typeof value !== "object" || value === null) return value;
    const schema = Object.fromEntries(Object.entries(value).map(([name, part]) => [name, moved(part)])) as Schema;
    const { title, type, anyOf } = schema;
    if (title === undefined || (type !== "object" && anyOf === undefined)) return schema;
    const other = named.get(title);
    if (other && JSON.stringify(other) !== JSON.stringify(schema)) throw new Error(`two schemas are named ${title}`);
    named.set(title, schema);
    return { $ref: `#/components/schemas/${title}` };
  };
  const paths = moved(document.paths) as OpenApi["paths"];
  const components = "components" in document ? (document.components as object) : {};
  const schemas = Object.fromEntries([...named].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...document, paths, components: { ...components, schemas } };
}
