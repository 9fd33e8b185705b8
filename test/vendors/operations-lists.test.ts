import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { pageFile, pageOf } from "../../scripts/operations-docs.ts";
import { matchesRoute, parseRoute } from "../../src/core/route.ts";
import { CODED_VENDORS } from "../../src/vendors/index.ts";
import { operationOf } from "../../src/vendors/operations.ts";
import { CAPPED_KINDS, type Operation, type OperationClass, type Vendor } from "../../src/vendors/vendor.ts";
import { type CallParts, makeCall, makePricing } from "./make-call.ts";
import { MONEY_MOVING } from "./money-moving.ts";
import { type PublishedOperation, publishedOperations } from "./published.ts";

const CLASSES: readonly OperationClass[] = ["free", "priced", "look_up", "closed", "unknown"];

interface Decided extends PublishedOperation {
  readonly operation: Operation;
}

function decided(vendor: Vendor): readonly Decided[] {
  const published = publishedOperations(vendor.name);
  return published.map((each) => ({ ...each, operation: operationOf(vendor, each.method, each.path) }));
}

/** The lines whose operation is not as it should be; what the test shows where it fails. */
function linesWhere(all: readonly Decided[], isWrong: (each: Decided) => boolean): readonly string[] {
  return all.filter(isWrong).map(({ line, operation }) => `${line} (${operation.class} by ${operation.route})`);
}

const EMAIL = { from: "a@example.com", to: "b@example.com" };
const SAMPLES: readonly CallParts[] = [
  {},
  { form: { amount: "500", currency: "usd" } },
  { form: { balance: "-500", currency: "usd" } },
  { form: { To: "+14155550100", From: "+14155550101", Body: "hi" } },
  { json: EMAIL },
  { json: [EMAIL] },
];

/** Whether the operation has a ceiling above 0 for one of some calls, so that its kind matters. */
function couldCost({ operation, line }: Decided): boolean {
  return SAMPLES.some((parts) => {
    const exposure = operation.exposure!(makeCall(line.replaceAll("*", "x1"), parts), makePricing(), new Map());
    return exposure.ok ? exposure.micros > 0n : exposure.code === "look_up";
  });
}

describe.each(CODED_VENDORS.map((vendor) => [vendor.title, vendor] as const))("%s", (_title, vendor) => {
  const all = decided(vendor);

  test("has a line for every operation that it has published, and the first that covers it decides", () => {
    expect(all.length).toBeGreaterThan(90);
    const routes = vendor.operations.map((operation) => ({ operation, route: parseRoute(operation.route) }));
    const first = ({ method, path }: Decided) => routes.find(({ route }) => matchesRoute(route, method, path));
    expect(linesWhere(all, (each) => each.operation.name === "unlisted")).toEqual([]);
    expect(linesWhere(all, (each) => first(each)?.operation !== each.operation)).toEqual([]);
    expect(linesWhere(all, ({ operation }) => !CLASSES.includes(operation.class))).toEqual([]);
  });

  test("has no line twice", () => {
    const routes = vendor.operations.map(({ route }) => route);
    expect(routes.filter((route, index) => routes.indexOf(route) !== index)).toEqual([]);
  });

  test("says why for every published operation that it refuses", () => {
    const refused = all.filter(({ operation }) => operation.class === "closed" || operation.class === "unknown");
    expect(linesWhere(refused, ({ operation }) => (operation.reason ?? "").length < 10)).toEqual([]);
  });

  test("gives all that may cost a kind that a policy can cap", () => {
    const capped: readonly string[] = CAPPED_KINDS;
    const isCapped = ({ operation }: Decided) => capped.includes(operation.kind);
    const costly = all.filter(({ operation }) => operation.class === "priced" || operation.class === "look_up");
    expect(linesWhere(costly, (each) => !isCapped(each) && couldCost(each))).toEqual([]);
  });

  test("leaves free nothing on the hand-written list of what moves money", () => {
    const moving = new Set(MONEY_MOVING[vendor.name]);
    expect([...moving].filter((line) => !all.some((each) => each.line === line))).toEqual([]);
    expect(linesWhere(all, ({ line, operation }) => moving.has(line) && operation.class === "free")).toEqual([]);
  });

  test("has every free write in its page of docs/operations, for a reader to see", () => {
    const page = readFileSync(pageFile(vendor), "utf8");
    const free = all.filter(({ method, operation }) => method !== "GET" && operation.class === "free");
    expect(free.length).toBeGreaterThan(0);
    expect(linesWhere(free, ({ operation }) => !page.includes(`\`${operation.route}\``))).toEqual([]);
  });

  test("has a page that is not stale: `bun scripts/operations-docs.ts` writes it anew", () => {
    const page = readFileSync(pageFile(vendor), "utf8");
    expect(page).toBe(pageOf(vendor, page));
  });
});

test("a page without its marks is refused, not overwritten", () => {
  for (const page of ["", "<!-- operations -->", "<!-- /operations --> <!-- operations -->"]) {
    expect(() => pageOf(CODED_VENDORS[0]!, page)).toThrow("the page of stripe has no <!-- operations -->");
  }
});
