import { describe, expect, test } from "bun:test";
import { compilePolicy } from "../../src/policy/compile.ts";
import { judge } from "../../src/policy/judge.ts";
import { domainOf } from "../../src/policy/judge-scope.ts";
import { validatePolicy } from "../../src/policy/validate.ts";
import { ACCOUNT, type CallParts, call, fakeVendor, PRICING } from "./fake-vendor.ts";

function compiled(fields: Record<string, unknown>) {
  const result = validatePolicy({ vendor: "fake", ...fields });
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join("\n"));
  return compilePolicy(result.policy);
}

/** The verdict and the rule that decided. */
function decided(fields: Record<string, unknown>, endpoint: string, parts: CallParts = {}): string {
  const judgement = judge(compiled(fields), fakeVendor, ACCOUNT, call(endpoint, parts), PRICING);
  if (!judgement.ok && judgement.code === "look_up") return `look_up ${judgement.lookUps.map(({ path }) => path)}`;
  return judgement.ok ? `allowed ${judgement.rule}` : `${judgement.code} ${judgement.rule}`;
}

type Row = [title: string, fields: Record<string, unknown>, endpoint: string, parts: CallParts, expected: string];

function table(rows: readonly Row[]): void {
  for (const [title, fields, endpoint, parts, expected] of rows) {
    test(title, () => expect(decided(fields, endpoint, parts)).toBe(expected));
  }
}

const ANY = { allowed_endpoints: ["* /**"] };
const CHARGE = { fields: { amount: "500", currency: "usd" } };

describe("endpoints", () => {
  table([
    ["allows nothing without allowed_endpoints", {}, "GET /v1/x", {}, "endpoint_denied allowed_endpoints"],
    [
      "names the endpoint that lets a call in",
      { allowed_endpoints: ["GET /v1/a", "POST /v1/charges"] },
      "POST /v1/charges",
      CHARGE,
      "allowed allowed_endpoints[1]",
    ],
    [
      "lets denied win over allowed",
      { ...ANY, denied_endpoints: ["POST /v1/x", "POST /v1/charges"] },
      "POST /v1/charges",
      CHARGE,
      "endpoint_denied denied_endpoints[1]",
    ],
    [
      "denies HEAD where GET is denied",
      { ...ANY, denied_endpoints: ["GET /v1/a"] },
      "HEAD /v1/a",
      {},
      "endpoint_denied denied_endpoints[0]",
    ],
    [
      "allows HEAD where GET is allowed",
      { allowed_endpoints: ["GET /v1/a"] },
      "HEAD /v1/a",
      {},
      "allowed allowed_endpoints[0]",
    ],
    [
      "does not allow OPTIONS where GET is allowed",
      { allowed_endpoints: ["GET /v1/a"] },
      "OPTIONS /v1/a",
      {},
      "endpoint_denied allowed_endpoints",
    ],
    ["keeps a closed operation closed under * /**", ANY, "POST /v1/keys", {}, "endpoint_denied closed"],
    [
      "keeps a closed operation closed under a pattern that fits",
      { allowed_endpoints: ["POST /v1/*"] },
      "POST /v1/keys",
      {},
      "endpoint_denied closed",
    ],
    [
      "opens a closed operation by its exact name",
      { allowed_endpoints: ["* /**", "POST /v1/keys"] },
      "POST /v1/keys",
      {},
      "allowed allowed_endpoints[0]",
    ],
    [
      "refuses what the vendor's file refuses, free or not",
      ANY,
      "GET /v1/cards",
      { query: { reveal: "number" } },
      "endpoint_denied vendor",
    ],
    ["refuses an operation of unknown cost", ANY, "POST /v1/charges/ch_1/confirm", {}, "cost_unknown unknown_cost"],
    ["refuses a write that the vendor does not list", ANY, "POST /v1/nonsense", {}, "cost_unknown unknown_cost"],
    ["refuses a read that the vendor does not list", ANY, "GET /v9/lookups", {}, "cost_unknown unknown_cost"],
    [
      "refuses a body of another kind than the operation's",
      ANY,
      "POST /v1/charges",
      { ...CHARGE, bodyKind: "json" },
      "encoding_unsupported body_kind",
    ],
    ["refuses a form where only files go", ANY, "POST /v1/files", CHARGE, "encoding_unsupported body_kind"],
  ]);
});

describe("parameters", () => {
  const rules = (parameters: Record<string, unknown>) => ({ ...ANY, parameters });
  const post = (fields: Record<string, string>): CallParts => ({ fields: { amount: "500", ...fields } });
  const allowed = "allowed allowed_endpoints[0]";
  table([
    [
      "in: admits a listed value",
      rules({ currency: { in: ["usd"] } }),
      "POST /v1/charges",
      post({ currency: "usd" }),
      allowed,
    ],
    [
      "in: denies another one",
      rules({ currency: { in: ["usd"] } }),
      "POST /v1/charges",
      post({ currency: "eur" }),
      "parameter_denied parameters.currency.in",
    ],
    [
      "in: compares letter by letter",
      rules({ currency: { in: ["usd"] } }),
      "POST /v1/charges",
      post({ currency: "USD" }),
      "parameter_denied parameters.currency.in",
    ],
    [
      "in: says nothing of a call without the parameter",
      rules({ currency: { in: ["usd"] } }),
      "POST /v1/charges",
      post({}),
      allowed,
    ],
    [
      "in: looks into the query too",
      rules({ limit: { in: ["10"] } }),
      "GET /v1/a",
      { query: { limit: "99" } },
      "parameter_denied parameters.limit.in",
    ],
    [
      "not_in: denies a listed value",
      rules({ mode: { not_in: "a,b" } }),
      "POST /v1/charges",
      post({ mode: "b" }),
      "parameter_denied parameters.mode.not_in",
    ],
    [
      "min: denies less",
      rules({ amount: { min: 501 } }),
      "POST /v1/charges",
      post({}),
      "parameter_denied parameters.amount.min",
    ],
    [
      "max: denies more",
      rules({ amount: { max: 499 } }),
      "POST /v1/charges",
      post({}),
      "parameter_denied parameters.amount.max",
    ],
    [
      "max: compares beyond 2^53 exactly",
      rules({ n: { max: "9007199254740992" } }),
      "POST /v1/charges",
      post({ n: "9007199254740993" }),
      "parameter_denied parameters.n.max",
    ],
    [
      "max: denies what is no whole number",
      rules({ n: { max: 9 } }),
      "POST /v1/charges",
      post({ n: "1e0" }),
      "parameter_denied parameters.n.max",
    ],
    [
      "matches: is anchored at both ends",
      rules({ "metadata[order_id]": { matches: "ord_[0-9]+" } }),
      "POST /v1/charges",
      post({ "metadata[order_id]": "xord_1" }),
      "parameter_denied parameters.metadata[order_id].matches",
    ],
    [
      "matches: does not let a line break end the value",
      rules({ m: { matches: "ord_[0-9]+" } }),
      "POST /v1/charges",
      post({ m: "ord_1\n" }),
      "parameter_denied parameters.m.matches",
    ],
    [
      "matches: anchors every alternative",
      rules({ m: { matches: "a|b" } }),
      "POST /v1/charges",
      post({ m: "ax" }),
      "parameter_denied parameters.m.matches",
    ],
    [
      "matches: admits the whole value",
      rules({ "metadata[order_id]": { matches: "ord_[0-9]+" } }),
      "POST /v1/charges",
      post({ "metadata[order_id]": "ord_17" }),
      allowed,
    ],
    [
      "matches: denies a value longer than it looks at",
      rules({ m: { matches: "a*" } }),
      "POST /v1/charges",
      post({ m: "a".repeat(513) }),
      "parameter_denied parameters.m.matches",
    ],
    [
      "prefix_in: denies another beginning",
      rules({ d: { prefix_in: ["ACME "] } }),
      "POST /v1/charges",
      post({ d: "ACM" }),
      "parameter_denied parameters.d.prefix_in",
    ],
    [
      "prefix_in: keeps the space of a prefix",
      rules({ d: { prefix_in: ["ACME "] } }),
      "POST /v1/charges",
      post({ d: "ACMEX" }),
      "parameter_denied parameters.d.prefix_in",
    ],
    [
      "required: denies a write without it",
      rules({ order: { required: true } }),
      "POST /v1/charges",
      post({}),
      "parameter_denied parameters.order.required",
    ],
    ["required: lets a read be", rules({ order: { required: true } }), "GET /v1/a", {}, allowed],
    [
      "required: is not met by another letter case",
      rules({ order: { required: true } }),
      "POST /v1/charges",
      post({ Order: "1" }),
      "parameter_denied parameters.order.required",
    ],
    [
      "forbidden: denies the parameter",
      rules({ callback: { forbidden: true } }),
      "POST /v1/charges",
      post({ callback: "x" }),
      "parameter_denied parameters.callback.forbidden",
    ],
    [
      "forbidden: denies everything beneath it",
      rules({ transfer_data: { forbidden: true } }),
      "POST /v1/charges",
      post({ "transfer_data[destination]": "x" }),
      "parameter_denied parameters.transfer_data.forbidden",
    ],
    [
      "forbidden: denies it in another letter case",
      rules({ callback: { forbidden: true } }),
      "POST /v1/charges",
      post({ CallBack: "x" }),
      "parameter_denied parameters.callback.forbidden",
    ],
    [
      "forbidden: is not about longer names",
      rules({ call: { forbidden: true } }),
      "POST /v1/charges",
      post({ callback: "x" }),
      allowed,
    ],
    [
      "a rule on a name is about every entry of a list",
      rules({ tag: { in: ["a"] } }),
      "POST /v1/charges",
      post({ "tag[0]": "a", "tag[1]": "b" }),
      "parameter_denied parameters.tag.in",
    ],
    [
      "a rule reaches into a body that is a list",
      rules({ tag: { in: ["a"] } }),
      "POST /v1/charges",
      post({ "[0][tag]": "a", "[1][tag][0]": "b" }),
      "parameter_denied parameters.tag.in",
    ],
    [
      "refuses a body whose parameters cannot be read",
      rules({ tag: { in: ["a"] } }),
      "POST /v1/files",
      { bodyKind: "multipart" },
      "parameter_denied parameters",
    ],
    [
      "lets files through where there are no parameter rules",
      ANY,
      "POST /v1/files",
      { bodyKind: "multipart" },
      allowed,
    ],
  ]);

  test("required: is about every item of a body that is a list", () => {
    const fields = rules({ tag: { required: true } });
    const one = { fields: { amount: "1", "[0][tag]": "a" }, json: [{ tag: "a" }, {}] };
    const both = { fields: { amount: "1", "[0][tag]": "a", "[1][tag]": "a" }, json: [{ tag: "a" }, { tag: "a" }] };
    expect(decided(fields, "POST /v1/charges", one)).toBe("parameter_denied parameters.tag.required");
    expect(decided(fields, "POST /v1/charges", both)).toBe(allowed);
  });
});

describe("scope", () => {
  const customers = { ...ANY, customers: ["cus_1"] };
  const prefixes = { ...ANY, to_prefixes: ["+1", "+4420"] };
  const to = (text: string): CallParts => ({ fields: { to: text } });
  const from = (text: string): CallParts => ({ fields: { from: text, to: "a@example.org" } });
  const mail = { ...ANY, from_domains: ["Example.com"], to_domains: ["example.org"] };
  const allowed = "allowed allowed_endpoints[0]";
  const charge = (customer: string): CallParts => ({ fields: { amount: "1", customer } });
  table([
    ["admits a charge of a listed customer", customers, "POST /v1/charges", charge("cus_1"), allowed],
    ["denies a charge of another customer", customers, "POST /v1/charges", charge("cus_2"), "scope_denied customers"],
    [
      "denies a charge of no customer",
      customers,
      "POST /v1/charges",
      { fields: { amount: "1" } },
      "scope_denied customers",
    ],
    ["denies reading another customer", customers, "GET /v1/customers/cus_2", {}, "scope_denied customers"],
    ["lets a read without a customer be", customers, "GET /v1/balance", {}, allowed],
    [
      "an empty list of customers allows none",
      { ...ANY, customers: [] },
      "POST /v1/charges",
      charge("cus_1"),
      "scope_denied customers",
    ],
    [
      "denies every other account by default",
      ANY,
      "GET /v1/a",
      { headers: { account: "acct_1" } },
      "scope_denied merchants",
    ],
    [
      "admits a listed account",
      { ...ANY, merchants: ["acct_1"] },
      "GET /v1/a",
      { headers: { account: "acct_1" } },
      allowed,
    ],
    [
      "denies an unlisted account",
      { ...ANY, merchants: ["acct_1"] },
      "GET /v1/a",
      { headers: { account: "acct_2" } },
      "scope_denied merchants",
    ],
    ["admits recipients under the prefixes", prefixes, "POST /v1/messages", to("+15005550006|+442071838750"), allowed],
    [
      "denies one recipient of several",
      prefixes,
      "POST /v1/messages",
      to("+15005550006|+2348012345"),
      "scope_denied to_prefixes",
    ],
    [
      "denies a recipient on another channel",
      prefixes,
      "POST /v1/messages",
      to("whatsapp:+15005550006"),
      "scope_denied to_prefixes",
    ],
    [
      "denies a number with anything after it",
      prefixes,
      "POST /v1/messages",
      to("+15005550006,+2348012345"),
      "scope_denied to_prefixes",
    ],
    [
      "denies a message that shows no recipient",
      prefixes,
      "POST /v1/messages",
      { fields: {} },
      "scope_denied to_prefixes",
    ],
    ["lets a read without recipients be", prefixes, "GET /v1/a", {}, allowed],
    [
      "denies another sender",
      { ...ANY, from_numbers: ["+15005550006"] },
      "POST /v1/messages",
      from("+15005550007"),
      "scope_denied from_numbers",
    ],
    [
      "denies a message that shows no sender",
      { ...ANY, from_numbers: ["+15005550006"] },
      "POST /v1/messages",
      to("+1"),
      "scope_denied from_numbers",
    ],
    ["admits mail within both domains", mail, "POST /v1/emails", from("Team <team@EXAMPLE.com>"), allowed],
    ["denies mail from another domain", mail, "POST /v1/emails", from("team@example.net"), "scope_denied from_domains"],
    [
      "denies mail from a subdomain that is not listed",
      mail,
      "POST /v1/emails",
      from("team@x.example.com"),
      "scope_denied from_domains",
    ],
    [
      "denies mail to one foreign recipient of several",
      mail,
      "POST /v1/emails",
      { fields: { from: "a@example.com", to: "a@example.org|b@example.net" } },
      "scope_denied to_domains",
    ],
  ]);
});

describe("domainOf", () => {
  test.each([
    ["a@example.com", "example.com"],
    ["Ada L. <a@Example.COM>", "example.com"],
    ["a@good.com <b@evil.com>", undefined],
    ["<a@good.com> b@evil.com", undefined],
    ["a@good.com, b@evil.com", undefined],
    ['"a@good.com"@evil.com', undefined],
    ["a@evil.com(@good.com)", undefined],
    ["a@good.com\n@evil.com", undefined],
    ["a", undefined],
  ])("reads %p as %p", (address, domain) => expect(domainOf(address)).toBe(domain as string));
});

describe("money", () => {
  const allowed = "allowed allowed_endpoints[0]";
  const limit = { ...ANY, max_amount_per_call_usd: 5 };
  const charge = (amount: string, currency = "usd"): CallParts => ({ fields: { amount, currency } });
  table([
    ["admits the very limit", limit, "POST /v1/charges", charge("500"), allowed],
    ["denies a cent over the limit", limit, "POST /v1/charges", charge("501"), "amount_denied max_amount_per_call_usd"],
    [
      "denies a micro-dollar over the limit",
      { ...ANY, max_amount_per_call_usd: "4.999999" },
      "POST /v1/charges",
      charge("500"),
      "amount_denied max_amount_per_call_usd",
    ],
    ["a limit of 0 allows what is free", { ...ANY, max_amount_per_call_usd: 0 }, "GET /v1/a", {}, allowed],
    [
      "a limit of 0 denies what costs",
      { ...ANY, max_amount_per_call_usd: 0 },
      "POST /v1/charges",
      charge("1"),
      "amount_denied max_amount_per_call_usd",
    ],
    [
      "allows US dollars only by default",
      ANY,
      "POST /v1/charges",
      charge("1", "eur"),
      "currency_denied allowed_currencies",
    ],
    [
      "allows the listed currencies",
      { ...ANY, allowed_currencies: ["EUR"] },
      "POST /v1/charges",
      charge("1", "eur"),
      allowed,
    ],
    [
      "does not allow dollars where they are not listed",
      { ...ANY, allowed_currencies: ["eur"] },
      "POST /v1/charges",
      charge("1"),
      "currency_denied allowed_currencies",
    ],
    ["passes on why the cost is unknown", ANY, "POST /v1/charges", { fields: {} }, "cost_unknown vendor"],
  ]);

  test("says limit, value and what to do, and what was requested", () => {
    const judgement = judge(compiled(limit), fakeVendor, ACCOUNT, call("POST /v1/charges", charge("15000")), PRICING);
    expect(judgement).toMatchObject({
      ok: false,
      message:
        "Keybrake: this call can cost $150.00, over the $5.00 that one call may cost under this key's policy. Lower the amount.",
      exposureMicros: 150_000_000n,
      details: { requested_usd: "150.00", cap_usd: "5.00" },
      operation: { name: "charge" },
    });
  });

  test("every refusal begins with Keybrake: and ends as a sentence", () => {
    const strict = compiled({
      ...ANY,
      denied_endpoints: ["GET /v1/no"],
      parameters: { a: { in: ["x"] } },
      customers: ["cus_1"],
    });
    const calls = [
      call("GET /v1/no"),
      call("POST /v1/keys"),
      call("POST /v1/charges/ch_1/confirm"),
      call("POST /v1/charges", { fields: { a: "\u001b[31m".repeat(100) } }),
      call("POST /v1/charges", { fields: { customer: "cus_2" } }),
      call("POST /v1/charges", { fields: { customer: "cus_1" } }),
    ];
    for (const each of calls) {
      const judgement = judge(strict, fakeVendor, ACCOUNT, each, PRICING);
      if (judgement.ok || judgement.code === "look_up") throw new Error("must be refused");
      expect(judgement.message).toMatch(/^Keybrake: [^\p{Cc}]{10,500}$/u);
      expect(judgement.message).not.toContain("Keybrake: Keybrake");
    }
  });
});
