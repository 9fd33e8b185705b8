import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { memberOf, SharedBudgets } from "../../src/ledger/shared-budgets.ts";
import { parseLabelPrefix, type SharedBudget } from "../../src/policy/budget.ts";

const NO_RATES = new Map<string, bigint>();

interface Given {
  readonly name?: string;
  readonly vendor?: string | undefined;
  readonly prefix?: string | undefined;
}

function budget({ name = "b", vendor, prefix }: Given, caps: Partial<SharedBudget> = {}): SharedBudget {
  return {
    name,
    match: { vendor, labelPrefix: prefix === undefined ? undefined : parseLabelPrefix(prefix), kind: undefined },
    dailyCapMicros: 5n,
    dailyCap: undefined,
    totalCapMicros: undefined,
    totalCap: undefined,
    dailySendCap: undefined,
    ...caps,
  };
}

function names(budgets: readonly SharedBudget[], vendor: string, label: string | null): string[] {
  return new SharedBudgets(budgets, NO_RATES).of(vendor, label).map(({ name }) => name);
}

describe("what matches a call", () => {
  test.each<[string | undefined, string | undefined, string, string | null, string[]]>([
    [undefined, undefined, "stripe", null, ["b"]],
    ["stripe", undefined, "stripe", "x", ["b"]],
    ["stripe", undefined, "twilio", "x", []],
    [undefined, "team/", "stripe", "team/1", ["b"]],
    [undefined, "team/", "stripe", "team/", ["b"]],
    [undefined, "team/", "stripe", "team", []],
    [undefined, "team/", "stripe", null, []],
    [undefined, "team/", "stripe", "a/team/", []],
    ["stripe", "team/", "stripe", "team/1", ["b"]],
    ["stripe", "team/", "twilio", "team/1", []],
    [undefined, "tenant:*:", "stripe", "tenant:acme:1", ["b:acme"]],
    [undefined, "tenant:*:", "stripe", "tenant:acme:", ["b:acme"]],
    [undefined, "tenant:*:", "stripe", "tenant:acme", []],
    [undefined, "tenant:*:", "stripe", "tenant::x", ["b:"]],
    [undefined, "tenant:*:eu:", "stripe", "tenant:acme:eu:1", ["b:acme"]],
    [undefined, "tenant:*:eu:", "stripe", "tenant:acme:us:1", []],
    [undefined, "*/", "stripe", "acme/1", ["b:acme"]],
    [undefined, "team/*/", "stripe", "team/a:b/1", ["b:a%3Ab"]],
    [undefined, "tenant:*:", "stripe", "tenant:größe:1", ["b:gr%C3%B6%C3%9Fe"]],
  ])("vendor %j and prefix %j against a call to %s under %j: %j", (vendor, prefix, asked, label, expected) => {
    expect(names([budget({ vendor, prefix })], asked, label)).toEqual(expected);
  });

  test("comes in the order of the file, whatever it matches by", () => {
    const list = ["a:*:", undefined, "a:", "a:b:", "a:*:c"].map((prefix, index) =>
      budget({ name: `b${index}`, prefix, vendor: index % 2 ? "stripe" : undefined }),
    );
    expect(names(list, "stripe", "a:b:c")).toEqual(["b0:b", "b1", "b2", "b3", "b4:b"]);
  });

  test("is what a look at every budget finds, for any budgets and labels", () => {
    const part = fc.constantFrom("a", "b", ":", "/", "tenant", "::");
    const text = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(""));
    const prefix = fc.oneof(
      fc.constant(undefined),
      text.filter((one) => one !== ""),
      fc.tuple(text, fc.constantFrom(":", "/"), text).map(([head, end, rest]) => `${head}*${end}${rest}`),
    );
    const vendor = fc.constantFrom(undefined, "stripe", "twilio");
    fc.assert(
      fc.property(fc.array(fc.tuple(vendor, prefix), { maxLength: 12 }), fc.option(text), (given, label) => {
        const list = given.map(([to, start], index) => budget({ name: `b${index}`, vendor: to, prefix: start }));
        const wanted = list.flatMap((one) => naive(one, "stripe", label) ?? []);
        expect(names(list, "stripe", label)).toEqual(wanted);
      }),
      { numRuns: 2_000 },
    );
  });
});

/** The name under which a call is counted, by the words of the documentation. */
function naive({ name, match }: SharedBudget, vendor: string, label: string | null): string | undefined {
  if (match.vendor !== undefined && match.vendor !== vendor) return undefined;
  const prefix = match.labelPrefix?.text;
  if (prefix === undefined) return name;
  const escaped = (text: string) => text.replace(/[/]/g, "\\/");
  const [head, tail] = prefix.split("*") as [string, string | undefined];
  const pattern = tail === undefined ? escaped(head) : `${escaped(head)}([^${tail[0]}]*)${escaped(tail)}`;
  const found = new RegExp(`^${pattern}`).exec(label ?? "\n");
  if (!found) return undefined;
  return tail === undefined ? name : `${name}:${encodeURIComponent(found[1]!)}`;
}

describe("what a budget counts", () => {
  const rates = new Map([["eur", 2_000_000n]]);

  test("is what it has a cap for, each counter once, by the tighter of two caps on it", () => {
    const caps = {
      dailyCapMicros: 5_000_000n,
      dailyCap: { amountMicros: 2_000_000n, currency: "eur" },
      totalCapMicros: 7_000_000n,
      totalCap: { amountMicros: 9_000_000n, currency: "eur" },
      dailySendCap: 3n,
    };
    const found = new SharedBudgets([budget({ name: "all" }, caps)], rates).of("stripe", null);
    expect(found.map(({ id, rule, unit, cap, window }) => [id, rule, unit, cap, window])).toEqual([
      ["budget:all:daily_usd_cap", "budgets.all.daily_usd_cap", "usd", 4_000_000n, "utc_day"],
      ["budget:all:total_usd_cap", "budgets.all.total_usd_cap", "usd", 7_000_000n, "lifetime"],
      ["budget:all:daily_send_cap", "budgets.all.daily_send_cap", "sends", 3n, "utc_day"],
    ]);
  });

  test("is nothing at all where the cap's currency lost its rate", () => {
    const caps = { dailyCapMicros: undefined, dailyCap: { amountMicros: 2n, currency: "gbp" } };
    const found = new SharedBudgets([budget({}, caps)], rates).of("stripe", null);
    expect(found).toMatchObject([{ cap: 0n, lacksRateOf: "gbp" }]);
  });
});

test("a member's value is read back from its counter's id, and from no other budget's", () => {
  const [found] = new SharedBudgets([budget({ name: "per-tenant", prefix: "t/*/" })], NO_RATES).of(
    "stripe",
    "t/a:b%/1",
  );
  expect(found!.id).toBe("budget:per-tenant:a%3Ab%25:daily_usd_cap");
  expect(memberOf(found!.id, "per-tenant")).toBe("a:b%");
  expect(memberOf(found!.id, "per")).toBeUndefined();
  expect(memberOf("budget:per-tenant:daily_usd_cap", "per-tenant")).toBeUndefined();
  expect(memberOf("budget:per-tenant::daily_usd_cap", "per-tenant")).toBe("");
});

test("10,000 budgets that do not match are not looked at: their names are never read", () => {
  const list = Array.from({ length: 10_000 }, (_, index) => budget({ name: `t${index}`, prefix: `tenant:${index}:` }));
  const families = Array.from({ length: 10_000 }, (_, index) =>
    budget({ name: `f${index}`, prefix: `tenant:*:${index}:` }),
  );
  let read = 0;
  const watched = [...list, ...families].map(
    (one) =>
      new Proxy(one, {
        get: (target, name) => {
          read += 1;
          return Reflect.get(target, name);
        },
      }),
  );
  const index = new SharedBudgets(watched, NO_RATES);
  read = 0;
  expect(index.of("stripe", "tenant:77:33:1").map(({ name }) => name)).toEqual(["t77", "f33:77"]);
  expect(read).toBeLessThan(50);
});
