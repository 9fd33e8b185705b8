/**
 * `bun scripts/operations-docs.ts`: writes what the vendors' files say of every operation and price into docs/operations,
 * between the two marks of each page; what stands above them is written by hand.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { isRead } from "../src/core/call.ts";
import {
  OPERATION_CLASSES,
  type OperationClassName,
  type OperationView,
  operationView,
  vendorOperations,
} from "../src/operate/vendor-operations.ts";
import { CODED_VENDORS } from "../src/vendors/index.ts";
import { operationOf } from "../src/vendors/operations.ts";
import type { Vendor } from "../src/vendors/vendor.ts";
import { publishedOperations } from "../test/vendors/published.ts";
import { pricesSection } from "./price-docs.ts";

const BEGIN = "<!-- operations -->";
const END = "<!-- /operations -->";

const CLASS_TEXTS: Readonly<Record<OperationClassName, readonly [title: string, meaning: string]>> = {
  priced: ["Priced", "The request says the most that the call can cost."],
  "look-up": ["Look-up", "Keybrake first asks the vendor, with the real secret, what the request does not say."],
  free: ["Free", "Moves and commits no money."],
  closed: [
    "Closed",
    "Refused. With `endpoint_denied` a policy opens it by the operation's exact text; with `cost_unknown` none does.",
  ],
};

/** Where the page of a vendor stands. */
export function pageFile({ name }: Vendor): URL {
  return new URL(`../docs/operations/${name}.md`, import.meta.url);
}

/** The page with its tables anew. @throws Error where it has no marks. */
export function pageOf(vendor: Vendor, page: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from === -1 || to < from) throw new Error(`the page of ${vendor.name} has no ${BEGIN} … ${END}`);
  return `${page.slice(0, from)}${BEGIN}\n\n${tablesOf(vendor)}\n\n${page.slice(to)}`;
}

function tablesOf(vendor: Vendor): string {
  const lines = vendorOperations([vendor], vendor.name);
  const sections = OPERATION_CLASSES.map((name) =>
    sectionOf(
      name,
      lines.filter((line) => line.class === name),
    ),
  );
  return [countsOf(vendor), ...sections, pricesSection(vendor)].join("\n\n");
}

/** How many of the published operations are of each class. */
function countsOf(vendor: Vendor): string {
  const published = publishedOperations(vendor.name).map(({ method, path }) => ({
    isRead: isRead(method),
    class: operationView(operationOf(vendor, method, path)).class,
  }));
  const rows = OPERATION_CLASSES.map((name) => {
    const ofClass = published.filter((each) => each.class === name);
    const reads = ofClass.filter((each) => each.isRead).length;
    return `| ${CLASS_TEXTS[name][0].toLowerCase()} | ${reads} | ${ofClass.length - reads} |`;
  });
  const head = `Of the ${published.length} operations that ${vendor.title} has published:`;
  return [head, "", "| class | reads | writes |", "| --- | --- | --- |", ...rows].join("\n");
}

function sectionOf(name: OperationClassName, lines: readonly OperationView[]): string {
  const [title, meaning] = CLASS_TEXTS[name];
  const said = [`## ${title}`, "", `${meaning} ${lines.length === 1 ? "One line" : `${lines.length} lines`}.`];
  if (lines.length === 0) return said.join("\n");
  const isTold = name !== "free";
  const head = isTold ? ["operation", "kind", name === "closed" ? "why" : "what is counted"] : ["operation", "kind"];
  const rows = families(lines).map((family) => rowOf(family, isTold));
  return [...said, "", `| ${head.join(" | ")} |`, `|${" --- |".repeat(head.length)}`, ...rows].join("\n");
}

/** Lines that say the same of several routes, at the place of the first. */
function families(lines: readonly OperationView[]): readonly (readonly OperationView[])[] {
  const byText = new Map<string, OperationView[]>();
  for (const line of lines) {
    const { name, kind, code, detail } = line;
    const key = JSON.stringify([name, kind, code, detail]);
    const family = byText.get(key);
    if (family) family.push(line);
    else byText.set(key, [line]);
  }
  return [...byText.values()];
}

function rowOf(family: readonly OperationView[], isTold: boolean): string {
  const { kind, code, detail } = family[0]!;
  const routes = family.map(({ route }) => `\`${route}\``).join("<br>");
  const told = [...(code === null ? [] : [`\`${code}\``]), ...(detail === null ? [] : [detail])].join(": ");
  return `| ${[routes, kind, ...(isTold ? [told] : [])].join(" | ")} |`;
}

if (import.meta.main) {
  for (const vendor of CODED_VENDORS) {
    const file = pageFile(vendor);
    writeFileSync(file, pageOf(vendor, readFileSync(file, "utf8")));
  }
}
