import type { OpenApi, Operation, Schema } from "./openapi.ts";

const STYLE = `
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
h2 { margin-top: 3rem; border-bottom: 1px solid #8886; }
h3 { margin: 2rem 0 .2rem; font: 600 15px/1.5 ui-monospace, monospace; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0; }
td, th { border-bottom: 1px solid #8884; padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top; }
td:first-child { white-space: nowrap; font-family: ui-monospace, monospace; }
p { margin: .2rem 0; }
`;

/** The document as one page of HTML: a heading per tag, a table of parameters and fields per route. */
export function docsPage({ info, paths }: OpenApi): string {
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ title: `${method.toUpperCase()} ${path}`, operation })),
  );
  const tags = [...new Set(routes.map(({ operation }) => operation.tags?.[0] ?? "Other"))];
  const sections = tags.map((tag) => {
    const own = routes.filter(({ operation }) => (operation.tags?.[0] ?? "Other") === tag);
    return `<h2>${htmlText(tag)}</h2>${own.map(({ title, operation }) => route(title, operation)).join("")}`;
  });
  const title = htmlText(`${info.title} ${info.version}`);
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>` +
    `<meta name="viewport" content="width=device-width, initial-scale=1"><style>${STYLE}</style></head>` +
    `<body><h1>${title}</h1><p>${htmlText(info.description)}</p>` +
    `<p>For programs: <a href="/docs/json">the OpenAPI document</a>.</p>${sections.join("")}</body></html>\n`
  );
}

function route(title: string, operation: Operation): string {
  const parameters = (operation.parameters ?? []).map(({ name, in: where, required, description, schema }) =>
    row(name, `${where}${required ? ", required" : ""}`, typeText(schema), description ?? ""),
  );
  const body = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
  const fields = Object.entries(body?.properties ?? {}).map(([name, schema]) => {
    const required = body?.required?.includes(name) ? ", required" : "";
    return row(name, `body${required}`, typeText(schema), schema.description ?? "");
  });
  const rows = [...parameters, ...fields];
  const head = "<tr><th>name</th><th>in</th><th>type</th><th></th></tr>";
  const table = rows.length === 0 ? "" : `<table>${head}${rows.join("")}</table>`;
  return `<h3>${htmlText(title)}</h3><p>${htmlText(operation.summary ?? "")}</p>${table}`;
}

function row(...cells: readonly string[]): string {
  return `<tr>${cells.map((cell) => `<td>${htmlText(cell)}</td>`).join("")}</tr>`;
}

function typeText(schema: Schema): string {
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeText))].join(" or ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(" or ");
  if (schema.type === "array" && schema.items) return `list of ${typeText(schema.items)}`;
  return schema.type ?? "";
}

function htmlText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
