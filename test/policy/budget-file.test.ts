import { describe, expect, test } from "bun:test";
import { readBudgets } from "../../src/policy/budget-file.ts";
import { lintBudgets } from "../../src/policy/budget-lint.ts";
import { BUDGET_FIELDS } from "../../src/policy/budget-schema.ts";

const VENDORS = ["stripe", "twilio", "resend"];

/** `line:column message` of everything that is wrong. */
function problems(text: string): string[] {
  return readBudgets(text, VENDORS).problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

const one = (budget: string) => `budgets:\n  - ${budget}\n`;

describe("readBudgets", () => {
  test("reads the published example", () => {
    const text = `budgets:
  - { name: platform, daily_usd_cap: 10000 }
  - { name: stripe-all, match: { vendor: stripe }, daily_usd_cap: 5000 }
  - { name: tenant-acme, match: { label_prefix: "tenant:acme:" }, daily_usd_cap: 500 }
  - { name: per-tenant, match: { label_prefix: "tenant:*:" }, daily_usd_cap: 500 }   # one budget per value of *
`;
    const { budgets } = readBudgets(text, VENDORS);
    expect(budgets!.map(({ name, match, dailyCapMicros }) => [name, match, dailyCapMicros])).toEqual([
      ["platform", { vendor: undefined, labelPrefix: undefined, kind: undefined }, 10_000_000_000n],
      ["stripe-all", { vendor: "stripe", labelPrefix: undefined, kind: undefined }, 5_000_000_000n],
      [
        "tenant-acme",
        {
          vendor: undefined,
          labelPrefix: { text: "tenant:acme:", head: "tenant:acme:", tail: undefined },
          kind: undefined,
        },
        500_000_000n,
      ],
      [
        "per-tenant",
        { vendor: undefined, labelPrefix: { text: "tenant:*:", head: "tenant:", tail: ":" }, kind: undefined },
        500_000_000n,
      ],
    ]);
  });

  test("reads every field that is declared", () => {
    const text = one(
      '{ name: all, description: d, match: { vendor: stripe, label_prefix: "a/*/b", kind: refund }, daily_usd_cap: 1, daily_cap: { amount: 2, currency: eur }, total_usd_cap: 3, total_cap: 4 gbp, daily_send_cap: 5, cap_window: utc_day }',
    );
    for (const field of BUDGET_FIELDS) expect(text).toContain(`${field}: `);
    expect(readBudgets(text, VENDORS).budgets).toEqual([
      {
        name: "all",
        match: { vendor: "stripe", labelPrefix: { text: "a/*/b", head: "a/", tail: "/b" }, kind: "refund" },
        dailyCapMicros: 1_000_000n,
        dailyCap: { amountMicros: 2_000_000n, currency: "eur" },
        totalCapMicros: 3_000_000n,
        totalCap: { amountMicros: 4_000_000n, currency: "gbp" },
        dailySendCap: 5n,
      },
    ]);
  });

  test("takes an empty list as no budgets, and an empty file as a broken one", () => {
    expect(readBudgets("budgets: []\n", VENDORS)).toMatchObject({ budgets: [], problems: [] });
    expect(readBudgets("", VENDORS).budgets).toBeUndefined();
  });

  test.each([
    ["", "1:1 budgets must be a list like [{ name: platform, daily_usd_cap: 10000 }], or [], not nothing"],
    ["budgets:\n", "1:9 budgets must be a list like [{ name: platform, daily_usd_cap: 10000 }], or [], not nothing"],
    ["- { name: a }\n", "not a list"],
    ["budget: []\n", '1:1 budgets.yaml has "budget"; did you mean budgets?'],
    [one("platform"), '2:5 budgets[0] must be a budget like { name: platform, daily_usd_cap: 10000 }, not "platform"'],
    [one("{ daily_usd_cap: 5 }"), "budgets[0].name must be a name like per-tenant"],
    [one("{ name: Platform, daily_usd_cap: 5 }"), "2:13 budgets[0].name must be a name like per-tenant"],
    [one('{ name: "a:b", daily_usd_cap: 5 }'), "2:13 budgets[0].name must be"],
    [one("{ name: a }"), "2:5 budgets[0] has no cap; give it one or more of daily_usd_cap, daily_cap"],
    [one("{ name: a, cap_window: utc_day }"), "2:5 budgets[0] has no cap"],
    [one("{ name: a, daily_usd: 5 }"), '2:16 budgets[0] has "daily_usd"; did you mean daily_usd_cap?'],
    [one("{ name: a, daily_usd_cap: -5 }"), "2:31 daily_usd_cap must be dollars"],
    [one("{ name: a, daily_usd_cap: }"), "2:31 daily_usd_cap is empty"],
    [one("{ name: a, daily_cap: { amount: 1, curency: eur } }"), "daily_cap must be an amount and its currency"],
    [one("{ name: a, daily_send_cap: 1.5 }"), "2:32 daily_send_cap must be a whole number"],
    [one("{ name: a, daily_usd_cap: 5, cap_window: rolling_24h }"), "2:46 "],
    [one("{ name: a, daily_usd_cap: 5, match: }"), "budgets[0].match must be a map like"],
    [
      one("{ name: a, daily_usd_cap: 5, match: { vendr: stripe } }"),
      '2:43 budgets[0].match has "vendr"; did you mean vendor?',
    ],
    [
      one("{ name: a, daily_usd_cap: 5, match: { vendor: strpe } }"),
      '2:51 budgets[0].match.vendor must be a vendor, not "strpe"; did you mean stripe?',
    ],
    [one("{ name: a, daily_usd_cap: 5, match: { kind: refunds } }"), "did you mean refund?"],
    [
      one('{ name: a, daily_usd_cap: 5, match: { label_prefix: "" } }'),
      "2:57 budgets[0].match.label_prefix must be text",
    ],
    [one('{ name: a, daily_usd_cap: 5, match: { label_prefix: "t:*:*:" } }'), "has more than one *"],
    [one('{ name: a, daily_usd_cap: 5, match: { label_prefix: "t:*" } }'), "needs a separator like : after its *"],
    [one('{ name: a, daily_usd_cap: 5, match: { label_prefix: "t:*x" } }'), "needs a separator like : after its *"],
    [one("{ name: a, daily_usd_cap: 5 }\n  - { name: a, daily_usd_cap: 6 }"), "3:13 there are two budgets a"],
  ])("refuses %j with line, column and what to write", (text, message) => {
    expect(problems(text)[0]).toContain(message);
  });

  test("reports every problem, in the order of the lines", () => {
    const text = "budgets:\n  - { name: a, daily_usd_cap: x }\n  - { nam: b, daily_usd_cap: 5 }\n";
    const { problems: found } = readBudgets(text, VENDORS);
    expect(found.map(({ line, nearest }) => [line, nearest])).toEqual([
      [2, undefined],
      [3, undefined],
      [3, "name"],
    ]);
  });

  test("takes 10,000 budgets and not one more", () => {
    const many = (count: number) =>
      `budgets:\n${Array.from({ length: count }, (_, i) => `  - { name: t-${i}, match: { label_prefix: "tenant:${i}:" }, daily_usd_cap: 500 }\n`).join("")}`;
    expect(readBudgets(many(10_000), VENDORS).budgets).toHaveLength(10_000);
    expect(problems(many(10_001))).toEqual([expect.stringContaining("there are 10001 budgets; there can be 10000")]);
  });
});

describe("lintBudgets", () => {
  test("warns of a cap in a currency without a rate, with its line", () => {
    const text = one("{ name: a, daily_cap: 5 eur }");
    expect(lintBudgets(text, "budgets.yaml", undefined, new Map())).toEqual([
      {
        fileName: "budgets.yaml",
        line: 2,
        column: 27,
        severity: "warning",
        message: "daily_cap is in eur, and currency_rates has no rate for that: it lets nothing through",
      },
    ]);
    expect(lintBudgets(text, "budgets.yaml", undefined, new Map([["eur", 1_000_000n]]))).toEqual([]);
  });
});
