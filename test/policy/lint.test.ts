import { describe, expect, test } from "bun:test";
import { lintTemplate } from "../../src/policy/lint.ts";
import { fakeVendor } from "./fake-vendor.ts";

function lint(text: string): string[] {
  return lintTemplate(text, "t.yaml", [fakeVendor]).map(
    ({ line, column, severity, message }) => `${line}:${column} ${severity} ${message}`,
  );
}

describe("lintTemplate", () => {
  test("finds every error with its line and column, and the nearest name", () => {
    const text = [
      "vendor: fake",
      "daily_usd_cpa: 5",
      `customers: \${customers}`,
      "allowed_endpoints:",
      "  - GET /v1/a",
      "  - GET v1",
      "parameters:",
      "  amount: { minn: 5 }",
      "  order:",
      '    matches: "(a+)+"',
    ].join("\n");
    expect(lintTemplate(text, "t.yaml", [fakeVendor])).toMatchObject([
      { fileName: "t.yaml", line: 2, column: 1, severity: "error", nearest: "daily_usd_cap" },
      { line: 6, column: 5, severity: "error" },
      { line: 8, column: 13, severity: "error", nearest: "min" },
      { line: 10, column: 14, severity: "error" },
    ]);
  });

  test("is silent on a sound template", () => {
    expect(
      lint(
        "vendor: fake\ndaily_usd_cap: 5\nallowed_endpoints: [POST /v1/charges, GET /v1/**]\ndenied_endpoints: [GET /v1/files/*]",
      ),
    ).toEqual([]);
  });

  test("finds a misspelt kind and cap where they stand", () => {
    const text = [
      "vendor: fake",
      "daily_usd_cap: 5",
      "allowed_endpoints: [POST /v1/charges]",
      "caps:",
      "  chrge: { daily_usd: 5 }",
      "  charge: { daily: 5, total_usd: five }",
      "  refund:",
      `    daily_usd: \${refunds}`,
      "daily_cap: { amount: 5, curency: eur }",
    ].join("\n");
    expect(lintTemplate(text, "t.yaml", [fakeVendor]).filter(({ severity }) => severity === "error")).toMatchObject([
      { line: 5, column: 3, nearest: "charge" },
      { line: 6, column: 13, nearest: "daily_usd" },
      { line: 6, column: 34, message: expect.stringContaining("caps.charge.total_usd must be dollars") },
      { line: 9, column: 12, message: expect.stringContaining("daily_cap must be an amount and its currency") },
    ]);
  });

  const warning = (text: string) => expect(lint(`vendor: fake\n${text}`).join("\n"));
  test("warns of what costs money and has no cap", () =>
    warning("max_amount_per_call_usd: 5\nallowed_endpoints:\n  - GET /v1/a\n  - POST /v1/charges").toBe(
      '5:5 warning "POST /v1/charges" costs money and there is no cap; give daily_usd_cap or total_usd_cap',
    ));
  test("does not warn of what has a cap of its kind, or one in another currency", () => {
    const charges = "allowed_endpoints: [POST /v1/charges]";
    warning(`${charges}\ncaps: { charge: { daily_usd: 5 } }`).toBe("");
    warning(`${charges}\ncaps: charge.daily_usd=5`).toBe("");
    warning(`${charges}\ndaily_cap: 5eur`).toBe("");
    warning(`${charges}\ncaps: { refund: { daily_usd: 5 } }`).toContain("costs money and there is no cap");
  });
  test("warns of a cap of a kind that no allowed endpoint is", () =>
    warning("daily_usd_cap: 5\nallowed_endpoints: [POST /v1/charges]\ncaps: { refund: { daily_usd: 5 } }").toContain(
      "4:17 warning caps.refund caps nothing: no allowed endpoint is a refund",
    ));
  test("does not warn of a kind that is let through nowhere and forbidden all the same", () =>
    warning("daily_usd_cap: 5\nallowed_endpoints: [POST /v1/charges]\ncaps: { payout: { daily_usd: 0 } }").toBe(""));
  test("warns of currencies without a rate, where the rates are known", () => {
    const text = "vendor: fake\nallowed_endpoints: []\nallowed_currencies: [usd, eur, gbp]\ndaily_cap: 5 gbp";
    const rates = new Map([["eur", 1_100_000n]]);
    expect(lintTemplate(text, "t.yaml", [fakeVendor], rates)).toMatchObject([
      { line: 3, column: 32, severity: "warning", message: expect.stringContaining("until currency_rates.gbp is set") },
      { line: 4, column: 12, severity: "warning", message: expect.stringContaining("no key can be issued with it") },
    ]);
    expect(lint(text)).toEqual([]);
  });
  test("warns of an endpoint that the vendor does not have", () =>
    warning("allowed_endpoints: [PATCH /v2/x]").toContain(
      '2:21 warning "PATCH /v2/x" is no operation that Keybrake knows of Fake',
    ));
  test("warns of an endpoint whose cost is never known", () =>
    warning("allowed_endpoints: [POST /v1/charges/*/confirm]").toContain(
      "carries no amount; its calls are refused (cost_unknown)",
    ));
  test("warns of a pattern that does not open a closed operation", () =>
    warning("allowed_endpoints: [POST /v1/key*]").toContain('only its exact name "POST /v1/keys" opens it'));
  test("does not warn of a closed operation's exact name", () =>
    warning("allowed_endpoints: [POST /v1/keys]").toBe(""));
  test("warns of a denial that hits nothing", () =>
    warning("allowed_endpoints: [GET /v1/a]\ndenied_endpoints: [GET /v1/b]").toContain(
      '3:20 warning "GET /v1/b" denies nothing',
    ));
  test("warns of a template that allows nothing", () =>
    warning("description: x").toContain("1:9 warning there are no allowed_endpoints"));
  test("warns of an input that is declared and not used", () =>
    warning("inputs: { c: { default: any } }\nallowed_endpoints: [GET /v1/a]").toContain(
      "the input c stands in no value",
    ));
  test("takes an endpoint with an input for one with *", () =>
    warning(`allowed_endpoints: ['GET /v1/customers/\${c}', '\${whole}']`).toBe(""));

  test("goes by the first operation that takes an endpoint, as calls do", () => {
    const rest = { name: "rest", route: "* /**", class: "free", kind: "write" } as const;
    const vendor = { ...fakeVendor, operations: [...fakeVendor.operations, rest] };
    const text = "vendor: fake\nallowed_endpoints: [POST /v1/charges/*/confirm]";
    expect(lintTemplate(text, "t.yaml", [vendor])).toMatchObject([{ line: 2, column: 21, severity: "warning" }]);
  });

  test("names the nearest vendor for an unknown one", () => {
    expect(lintTemplate("vendor: fak\nallowed_endpoints: []", "t.yaml", [fakeVendor])).toMatchObject([
      { line: 1, column: 9, severity: "error", nearest: "fake" },
    ]);
  });

  test("stops at what is no YAML, with every error of it", () => {
    expect(lint("vendor: fake\na: [\nb: }")).not.toEqual([]);
  });
});
