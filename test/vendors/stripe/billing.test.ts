import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { JsonValue, Method } from "../../../src/core/call.ts";
import { matchesRoute, parseRoute } from "../../../src/core/route.ts";
import { STRIPE_BILLING } from "../../../src/vendors/stripe/billing.ts";
import { makeAnswer, makeCall, makePricing } from "../make-call.ts";
import { MONEY_MOVING } from "../money-moving.ts";
import { billingOperation, exposedWith } from "./billing-answers.ts";
import { ASKED } from "./billing-checkout-rows.ts";
import { CREDITS } from "./billing-credit-rows.ts";
import { INVOICES } from "./billing-invoice-rows.ts";
import { INVOICE_LINES } from "./billing-line-rows.ts";
import { REFUSALS } from "./billing-refusals.ts";
import { SUBSCRIPTIONS } from "./billing-subscription-rows.ts";

const PRICING = makePricing({ eur: 1_100_000n });

const TABLE = Object.entries({ ...INVOICES, ...INVOICE_LINES, ...SUBSCRIPTIONS, ...ASKED, ...CREDITS });
const micros = (cents: number) => BigInt(cents) * 10_000n;

describe("Stripe Billing", () => {
  test.each(TABLE)("counts %s", (_what, row) => {
    const call = makeCall(row.line, { form: row.form ?? {}, query: row.query ?? {} });
    const { operation, exposure } = exposedWith(call, PRICING);
    expect(exposure).toMatchObject({ ok: true, micros: micros(row.most), sends: 0 });
    if (!exposure.ok) throw new Error("no exposure");
    expect(exposure.customer).toBe(row.customer);
    expect([operation.kind, operation.object?.(call)]).toEqual([(row.kind ?? "charge") as "charge", row.object]);

    const answer = row.answer ?? { id: "x_1", currency: "usd" };
    const cost = operation.cost!(call, makeAnswer(answer), exposure, PRICING);
    expect(cost).toMatchObject({ micros: micros(row.cost ?? row.most) });
    expect(cost.unreadable ?? false).toBe(false);
    const id = (answer as { id?: string }).id;
    expect(cost.vendorTxnId).toBe(id!);

    const replayed = makeAnswer(answer, { "idempotent-replayed": "true" });
    expect(operation.cost!(call, replayed, exposure, PRICING)).toMatchObject({ micros: 0n });
  });

  test("has a row for every operation that it prices", () => {
    const covered = new Set(TABLE.map(([, row]) => operationOfLine(row.line)?.route));
    const missing = STRIPE_BILLING.filter(({ exposure, route }) => exposure && !covered.has(route));
    expect(missing.map(({ route }) => route)).toEqual([]);
  });

  test.each(REFUSALS)("answers %s to %s with %j", (code, line, form, word) => {
    const { exposure } = exposedWith(makeCall(line, { form }), PRICING);
    const { code: said, message } = exposure.ok ? { code: "none", message: "" } : exposure;
    expect([said, message]).toEqual([code, expect.stringMatching(/^Keybrake: .+\.$/)]);
    expect(message).toContain(word);
  });

  test("asks for nothing on behalf of a call that it refuses by the request alone", () => {
    const form = { customer: "cus_1", "items[0][price]": "price_10", "items[1][price]": "no id" };
    expect(exposedWith(makeCall("POST /v1/subscriptions", { form }), PRICING).asked).toEqual([]);
  });

  test("escapes what it repeats in a look-up, so that it asks about the same call", () => {
    const form = { invoice: "in_1", amount: "5000", "lines[0][x&amount]": "1&amount=1" };
    const call = makeCall("POST /v1/credit_notes", { form });
    const missing = billingOperation(call).exposure!(call, PRICING, new Map());
    const query = "invoice=in_1&amount=5000&lines[0][x%26amount]=1%26amount%3D1";
    expect(missing).toMatchObject({ code: "look_up", lookUps: [{ path: "/v1/credit_notes/preview", query }] });
  });

  test("takes the operator's own price of a tax calculation", () => {
    const call = makeCall("POST /v1/tax/calculations", { form: { currency: "usd" } });
    const pricing = makePricing({}, { tax_calculation: 20_000n });
    expect(exposedWith(call, pricing).exposure).toMatchObject({ micros: 20_000n, source: "rate_table" });
  });

  test("counts a cost in full where the answer cannot be read", () => {
    const call = makeCall("POST /v1/invoices/in_open/pay");
    const { operation, exposure } = exposedWith(call, PRICING);
    if (!exposure.ok) throw new Error("no exposure");
    const cost = operation.cost!(call, makeAnswer(undefined), exposure, PRICING);
    expect(cost).toMatchObject({ micros: 40_000_000n, unreadable: true });
  });
});

describe("the list of Stripe Billing", () => {
  const fixture = new URL("../fixtures/operations/stripe.txt", import.meta.url);
  const BILLING =
    /^(?:POST|DELETE) \/(?:v1|v2)\/(?:billing|billing_portal|checkout|coupons|credit_notes|entitlements|invoice_rendering_templates|invoiceitems|invoices|payment_links|plans|prices|product_catalog|products|promotion_codes|quotes|reporting|shipping_rates|subscription_items|subscription_schedules|subscriptions|tax|tax_ids|tax_rates|commerce|radar\/value_\w+|customers\/\*\/(?:balance_transactions|cash_balance|discount|funding_instructions|tax_ids)|test_helpers\/(?:test_clocks|customers))(?:\/|$)/;
  const published = readFileSync(fixture, "utf8").trim().split("\n");
  const writes = published.filter((line) => BILLING.test(line));

  test("leaves none of the published writes unclassified", () => {
    expect(writes.length).toBe(120);
    expect(writes.filter((line) => !operationOfLine(line))).toEqual([]);
  });

  test("has nothing free that moves money", () => {
    const money = MONEY_MOVING["stripe"]!.filter((line) => BILLING.test(line));
    expect(money.length).toBeGreaterThan(35);
    expect(money.filter((line) => operationOfLine(line)?.class === "free")).toEqual([]);
  });

  test("has each route once, and says why it refuses", () => {
    const routes = STRIPE_BILLING.map(({ route }) => route);
    expect(new Set(routes).size).toBe(routes.length);
    for (const { route, class: opClass, reason } of STRIPE_BILLING) {
      if (opClass !== "closed" && opClass !== "unknown") continue;
      expect([route, reason ?? ""]).toEqual([route, expect.stringMatching(/^[a-z].{10,}[^.]$/)]);
    }
  });

  test("lets a customer's catalogue, tax ids and reports through without a price", () => {
    for (const line of [
      "POST /v1/products",
      "POST /v1/prices",
      "POST /v1/coupons",
      "POST /v1/invoices/create_preview",
    ]) {
      expect([line, operationOfLine(line)?.class]).toEqual([line, "free"]);
    }
  });

  test("never throws, whatever a call, a look-up or an answer lacks", () => {
    for (const operation of STRIPE_BILLING) {
      if (!operation.exposure || !operation.cost) continue;
      const call = makeCall(operation.route.replaceAll("*", "x1"), { form: { amount: "5", invoice: "in_1" } });
      for (const json of [null, 1, "x", [], {}, { items: { data: [null] } }] as const) {
        const found = { get: () => json } as unknown as Map<string, JsonValue>;
        const exposure = operation.exposure(call, PRICING, found);
        expect(exposure.ok || exposure.code === "look_up" || exposure.message.startsWith("Keybrake: ")).toBe(true);
        const held = { ok: true, micros: 5n, sends: 0, currency: "usd", source: "lookup" } as const;
        expect(operation.cost(call, makeAnswer(json as JsonValue), held, PRICING).micros >= 0n).toBe(true);
      }
    }
  });
});

function operationOfLine(line: string) {
  const [method, path] = line.replaceAll("*", "x1").split(" ") as [Method, string];
  const known = STRIPE_BILLING.some(({ route }) => matchesRoute(parseRoute(route), method, path));
  return known ? billingOperation({ method, path }) : undefined;
}
