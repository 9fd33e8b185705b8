import { expect, test } from "bun:test";
import { type Access, ROUTES } from "../../src/api/routes.ts";
import { inlineCode, readPages, section, tableRows } from "./page.ts";

const page = readPages().find(({ path }) => path === "docs/security.md")!;

const inWords = (access: Access) =>
  access === "anyone" ? "anyone" : access === "vault_key" ? "vault key" : access.join(", ");

test("docs/security.md says of every route who may use it, and of no other", () => {
  const said = tableRows(section(page, "Who may do what")).flatMap(([routes = "", who = ""]) =>
    inlineCode(routes).map((route) => [route, who] as const),
  );
  expect(new Set(said.map(([route]) => route)).size).toBe(said.length);
  const known = ROUTES.map(({ method, path, access }) => [`${method} ${path}`, inWords(access)] as const);
  expect(Object.fromEntries(said)).toEqual(Object.fromEntries(known));
});
