/**
 * `bun scripts/declared-docs.ts`: writes every field of a declared vendor into docs/declared-vendors.md, between the two
 * marks of the page; what stands around them is written by hand.
 */
import { readFileSync, writeFileSync } from "node:fs";
import type { TSchema } from "@sinclair/typebox";
import { DeclarationSchema } from "../src/vendors/declared/schema.ts";

const BEGIN = "<!-- fields -->";
const END = "<!-- /fields -->";

export const PAGE = new URL("../docs/declared-vendors.md", import.meta.url);

/** The page with its tables anew. @throws Error where it has no marks. */
export function pageWithFields(page: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from === -1 || to < from) throw new Error(`the page has no ${BEGIN} … ${END}`);
  return `${page.slice(0, from + BEGIN.length)}\n\n${tables("A vendor", DeclarationSchema)}\n${page.slice(to)}`;
}

/** The table of an object's fields, and after it those of the objects in it. */
function tables(title: string, schema: TSchema): string {
  const required = (schema["required"] as readonly string[] | undefined) ?? [];
  const fields = Object.entries(schema["properties"] as Readonly<Record<string, TSchema>>);
  const rows = fields.map(
    ([name, field]) => `| ${[`\`${name}\``, required.includes(name) ? "yes" : "", textOf(field)].join(" | ")} |`,
  );
  const inner = fields.flatMap(([name, field]) => {
    const object = objectIn(field);
    return object ? [tables(title === "A vendor" ? name : `${title}.${name}`, object)] : [];
  });
  const heading = title === "A vendor" ? title : `\`${title}\``;
  const said = title === "A vendor" ? "" : `${schema["description"]}\n\n`;
  return [
    `### ${heading}\n\n${said}| field | must | what it is |\n| --- | --- | --- |\n${rows.join("\n")}\n`,
    ...inner,
  ].join("\n");
}

/** The object that a field is, or a list of. */
function objectIn(field: TSchema): TSchema | undefined {
  const items = field["type"] === "array" ? (field["items"] as TSchema) : field;
  return items["properties"] === undefined ? undefined : items;
}

function textOf(field: TSchema): string {
  const words = (field["enum"] ?? (field["items"] as TSchema | undefined)?.["enum"]) as readonly string[] | undefined;
  const choices = words ? ` One of ${words.map((word) => `\`${word}\``).join(", ")}.` : "";
  const what = field["type"] === "array" ? "A list. " : "";
  return `${what}${String(field["description"]).replaceAll("|", "\\|")}${choices}`;
}

if (import.meta.main) writeFileSync(PAGE, pageWithFields(readFileSync(PAGE, "utf8")));
