import { afterEach, beforeEach, expect, test } from "bun:test";
import type { ReplayRequest, ReplayView } from "../../../src/operate/policy-verbs.ts";
import { ADMIN, type Installed, install, problemOf, START_MS } from "../installed.ts";
import { endCall, type RecordedCall, recordCall } from "../record-call.ts";

const DAY_MS = 86_400_000;
const CHARGES = "/v1/payment_intents";

let installed: Installed;
let keyId: string;
beforeEach(async () => {
  installed = await install();
  keyId = await issue();
});
afterEach(() => installed.close());

/** A key that may do everything: what it did is what is replayed. */
async function issue(label = "run/1", vendor = "stripe"): Promise<string> {
  const policy = { vendor, allowed_endpoints: ["* /**"], total_usd_cap: 1_000_000 };
  return (await installed.control.issueKey({ policy, agent_run_label: label, expires_in: "30d" }, ADMIN)).id;
}

/** A call that was settled at what it could cost at most, unless it is said otherwise. */
function record(usd: string, call: Partial<RecordedCall> = {}): Promise<string> {
  return recordCall(installed, { keyId, exposureUsd: usd, end: { to: "settled", costUsd: usd }, ...call });
}

function replay(fields: string, request: Partial<ReplayRequest> = {}): Promise<ReplayView> {
  const text = `vendor: stripe\nallowed_endpoints: ["* /**"]\n${fields}\n`;
  const source = { file_name: "new.yaml", text: fields.startsWith("vendor:") ? `${fields}\n` : text };
  return installed.control.replayPolicy({ source, filter: {}, ...request });
}

const rulesOf = ({ rules }: ReplayView) => rules.map(({ rule, calls, usd }) => [rule, calls, usd]);

test.each([
  ["an endpoint that is not listed", "vendor: stripe\nallowed_endpoints: [GET /v1/customers/*]", "allowed_endpoints"],
  ["an endpoint that is denied", `denied_endpoints: [POST ${CHARGES}]`, "denied_endpoints[0]"],
  ["a call over what one may cost", "max_amount_per_call_usd: 29.98", "max_amount_per_call_usd"],
  ["a customer who is not listed", "customers: [cus_2]", "customers"],
  ["the daily cap", "daily_usd_cap: 29.98", "daily_usd_cap"],
  ["the cap on the whole life", "total_usd_cap: 29.98", "total_usd_cap"],
  ["the cap on its kind", "caps: { charge: { daily_usd: 29.98 } }", "caps.charge.daily_usd"],
])("a call is refused by %s, and its dollars are told", async (_what, fields, rule) => {
  const id = await record("29.99", { facts: { customerScopeId: "cus_1" } });
  const view = await replay(fields);
  expect(rulesOf(view)).toEqual([[rule, 1, "29.99"]]);
  expect(view.rules[0]).toMatchObject({ first_call_id: id, first_called_at: "2026-01-01T00:00:00.000Z" });
  const line = fields.startsWith("vendor:") ? 2 : 3;
  expect(view.rules[0]?.rule_place).toMatchObject({ file: "new.yaml", line });
  expect(view).toMatchObject({ allowed: { calls: 0 }, refused: { calls: 1, usd: "29.99" } });
  expect(view.endpoints).toEqual([{ endpoint: `POST ${CHARGES}`, calls: 1, usd: "29.99" }]);
});

test.each([
  ["max_amount_per_call_usd: 29.99"],
  ["customers: [cus_1]"],
  ["daily_usd_cap: 29.99"],
  ["caps: { refund: { daily_usd: 0 } }"],
])("a call that fits %s is allowed", async (fields) => {
  await record("29.99", { facts: { customerScopeId: "cus_1" } });
  expect(await replay(fields)).toMatchObject({
    allowed: { calls: 1, usd: "29.99" },
    refused: { calls: 0, usd: "0.00" },
  });
});

test("a charge of unknown customer is refused where customers are listed, and a read is not", async () => {
  await record("5");
  await record("0", { facts: { method: "GET", path: "/v1/balance", endpoint: "/v1/balance" } });
  const view = await replay("customers: [cus_1]");
  expect([view.allowed.calls, rulesOf(view)]).toEqual([1, [["customers", 1, "5.00"]]]);
});

test.each([
  ["deny", [["unknown_cost", 2, "8.00"]], { calls: 0, usd: "0.00" }],
  ["{ reserve_usd: 20 }", [], { calls: 2, usd: "28.00" }],
  ["allow", [], { calls: 2, usd: "0.00" }],
  ["{ reserve_usd: 20 }\ndaily_usd_cap: 19.99", [["daily_usd_cap", 2, "28.00"]], { calls: 0, usd: "0.00" }],
  ["{ reserve_usd: 20 }\nmax_amount_per_call_usd: 19", [["max_amount_per_call_usd", 2, "28.00"]], undefined],
])(
  "calls of unknown cost are held as on_unknown_cost says: %s",
  async (value, rules, allowed = { calls: 0, usd: "0.00" }) => {
    const facts = { path: "/v1/nonsense", endpoint: "/v1/nonsense" };
    await recordCall(installed, {
      keyId,
      exposureUsd: "0",
      end: { to: "settled", costUsd: "0", costSource: "none" },
      facts,
    });
    await record("8", { facts });
    const view = await replay(`on_unknown_cost: ${value}`);
    expect(rulesOf(view)).toEqual(rules as ReturnType<typeof rulesOf>);
    expect(view.allowed).toEqual(allowed);
  },
);

test("caps count in the order of time, by key and by day, and a refused call counts in none", async () => {
  for (const usd of ["60", "50", "40"]) {
    await record(usd);
    installed.clock.nowMs += 1_000;
  }
  const second = await issue("run/2");
  await record("100", { keyId: second });
  installed.clock.nowMs += DAY_MS;
  await record("100");
  const view = await replay("daily_usd_cap: 100");
  expect(rulesOf(view)).toEqual([["daily_usd_cap", 1, "50.00"]]);
  expect(view.rules[0]?.message).toContain(
    "daily_usd_cap is $100.00, of which $60.00 is used, and this call needs $50.00",
  );
  expect(view.allowed).toEqual({ calls: 4, usd: "300.00" });
  expect(rulesOf(await replay("daily_usd_cap: 100", { filter: { run: "run/2" } }))).toEqual([]);
  expect((await replay("daily_usd_cap: 100", { filter: { keyId } })).allowed.calls).toBe(3);
  expect((await replay("daily_usd_cap: 10", { filter: { since: START_MS + DAY_MS } })).refused.calls).toBe(1);
});

test("a call holds what it could cost until its end, and what it did cost from then on", async () => {
  const held = await recordCall(installed, { keyId, exposureUsd: "80" });
  installed.clock.nowMs += 1_000;
  await record("30");
  installed.clock.nowMs += 1_000;
  await endCall(installed, held, "settled", "10");
  installed.clock.nowMs += 1_000;
  await record("60");
  const view = await replay("daily_usd_cap: 100");
  expect(rulesOf(view)).toEqual([["daily_usd_cap", 1, "30.00"]]);
  expect(view.allowed).toEqual({ calls: 2, usd: "70.00" });
});

test("an unresolved call counts in full until it is resolved, whoever would have made it", async () => {
  const unknown = await recordCall(installed, { keyId, exposureUsd: "80", end: { to: "unresolved" } });
  installed.clock.nowMs += 1_000;
  await record("30");
  expect(rulesOf(await replay("daily_usd_cap: 100"))).toEqual([["daily_usd_cap", 1, "30.00"]]);
  expect((await replay("max_amount_per_call_usd: 50")).refused).toEqual({ calls: 1, usd: "80.00" });
  await installed.control.resolveCall(unknown, { released: true }, ADMIN);
  installed.clock.nowMs += 1_000;
  await record("100");
  const view = await replay("daily_usd_cap: 100");
  expect([view.allowed, rulesOf(view)]).toEqual([{ calls: 2, usd: "100.00" }, [["daily_usd_cap", 1, "30.00"]]]);
  expect((await replay("max_amount_per_call_usd: 50")).rules[0]).toMatchObject({ calls: 2, usd: "100.00" });
});

test("what becomes of a call that the template would have refused gives no cap any room", async () => {
  const unknown = await recordCall(installed, { keyId, exposureUsd: "80", end: { to: "unresolved" } });
  await record("40");
  await installed.control.resolveCall(unknown, { released: true }, ADMIN);
  for (const usd of ["40", "40"]) {
    installed.clock.nowMs += 1_000;
    await record(usd);
  }
  expect(rulesOf(await replay("daily_usd_cap: 100\nmax_amount_per_call_usd: 50"))).toEqual([
    ["max_amount_per_call_usd", 1, "0.00"],
    ["daily_usd_cap", 1, "40.00"],
  ]);
});

test("sends are counted where a template caps them", async () => {
  keyId = await issue("mail", "resend");
  const mail = { kind: "email", facts: { vendor: "resend", path: "/emails", endpoint: "/emails" } };
  for (const sends of [3, 4, 1]) await record("0.001", { ...mail, sends });
  const view = await replay("vendor: resend\nallowed_endpoints: [POST /emails]\ndaily_send_cap: 5");
  expect(view.rules[0]).toMatchObject({ rule: "daily_send_cap", calls: 1, usd: "0.001" });
  expect(view.rules[0]?.message).toContain("5 sends, of which 3 sends is used, and this call needs 4 sends");
});

test("calls that were refused then are told apart, and count in no cap", async () => {
  await record("400", { refusal: "cap_exceeded" });
  await record("0", { refusal: "endpoint_denied", facts: { path: "/v1/payouts", endpoint: "/v1/payouts" } });
  const view = await replay(`vendor: stripe\ndaily_usd_cap: 1\nallowed_endpoints: [POST ${CHARGES}]`);
  expect(view).toMatchObject({
    allowed: { calls: 0 },
    refused: { calls: 0 },
    refused_then: { calls: 2, would_pass: 1 },
  });
});

test("says which rules the audit does not have what is needed to check for", async () => {
  await record("5");
  const view = await replay("parameters: { currency: { in: [eur] } }\nmerchants: [acct_1]\nexpires_in: 1s");
  expect([view.not_checked, view.refused.calls]).toEqual([["parameters", "merchants"], 0]);
});

test("another vendor's calls are left out, and inputs are filled", async () => {
  await record("5", { keyId: await issue("mail", "resend"), facts: { vendor: "resend" } });
  await record("5", { facts: { customerScopeId: "cus_1" } });
  const request = {
    source: { file_name: "a.yaml", text: "vendor: stripe\nallowed_endpoints: ['* /**']\ncustomers: $" + "{who}" },
  };
  expect(
    (await installed.control.replayPolicy({ ...request, inputs: { who: "cus_1" }, filter: {} })).allowed.calls,
  ).toBe(1);
  expect((await problemOf(() => installed.control.replayPolicy({ ...request, filter: {} }))).message).toContain("who");
  expect((await problemOf(() => installed.control.replayPolicy({ template: "biling", filter: {} }))).code).toBe(
    "not_found",
  );
});

test("a rolling day counts what was held in the last 24 hours, to the millisecond, and no UTC day", async () => {
  installed.clock.nowMs += DAY_MS / 2;
  await record("60");
  installed.clock.nowMs += DAY_MS - 1;
  await record("50");
  const rolling = "daily_usd_cap: 100\ncap_window: rolling_24h";
  const view = await replay(rolling);
  expect([rulesOf(view), view.not_checked]).toEqual([[["daily_usd_cap", 1, "50.00"]], []]);
  expect(rulesOf(await replay("daily_usd_cap: 100"))).toEqual([]);
  installed.clock.nowMs += 1;
  await record("100");
  await record("1");
  expect((await replay(rolling)).rules[0]).toMatchObject({ calls: 2, usd: "51.00" });
});

test("what a call did cost stands where it was held, and changes nothing once that has aged", async () => {
  const late = await recordCall(installed, { keyId, exposureUsd: "80" });
  installed.clock.nowMs += 1_000;
  const soon = await recordCall(installed, { keyId, exposureUsd: "20" });
  installed.clock.nowMs += 1_000;
  await endCall(installed, soon, "settled", "5");
  await record("15");
  await record("1");
  installed.clock.nowMs += DAY_MS - 2_000;
  await endCall(installed, late, "settled", "10");
  await record("80");
  await record("1");
  const view = await replay("daily_usd_cap: 100\ncap_window: rolling_24h");
  expect(rulesOf(view)).toEqual([["daily_usd_cap", 2, "2.00"]]);
});

test("rates count every call that is let through, in any minute, and released ones too", async () => {
  const call = () => record("0", { facts: { method: "GET" } });
  await call();
  await record("5", { end: { to: "released" } });
  installed.clock.nowMs += 59_999;
  await call();
  installed.clock.nowMs += 1;
  await call();
  await call();
  await call();
  const view = await replay("requests_per_minute: 2\nrequests_per_hour: 9");
  expect(view.rules[0]).toMatchObject({ verdict: "rate_exceeded", rule: "requests_per_minute", calls: 2 });
  expect(view.rules[0]!.message).toContain("is 2 requests, of which 2 requests is used");
  expect([view.allowed.calls, view.not_checked]).toEqual([4, []]);
});

test("a write that was given back later leaves room for another", async () => {
  const unknown = await recordCall(installed, { keyId, exposureUsd: "5", end: { to: "unresolved" } });
  installed.clock.nowMs += 1_000;
  await installed.control.resolveCall(unknown, { released: true }, ADMIN);
  installed.clock.nowMs += 1_000;
  await record("5");
  await record("6");
  expect(rulesOf(await replay("max_write_operations: 1"))).toEqual([["max_write_operations", 1, "6.00"]]);
});
