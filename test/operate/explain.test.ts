import { afterEach, beforeEach, expect, test } from "bun:test";
import type { ExplainRequest, ExplainView } from "../../src/operate/policy-verbs.ts";
import { ADMIN, type Installed, install, problemOf } from "./installed.ts";
import { recordCall } from "./record-call.ts";

let installed: Installed;
let keyId: string;

const CHARGE = { method: "POST", path: "/v1/payment_intents", body: "amount=2999&currency=usd" };

beforeEach(async () => {
  installed = await install();
  keyId = (await installed.control.issueKey({ template: "billing", policy: {}, agent_run_label: "a/1" }, ADMIN)).id;
});
afterEach(() => installed.close());

function explain(request: Partial<ExplainRequest>): Promise<ExplainView> {
  return installed.control.explain({ ...CHARGE, ...request });
}

test("says what the proxy would do by a template, and what the call would reserve", async () => {
  expect(await explain({ template: "billing" })).toMatchObject({
    verdict: "allowed",
    status: 200,
    rule: "allowed_endpoints[0]",
    operation: "payment_intents.create",
    exposure_usd: "29.99",
    budgets: [{ budget: "daily_usd_cap", cap: "500.00", used: "0.00", remaining: "500.00" }],
  });
});

test("refuses by the rule that the template has for it", async () => {
  const refunds = await explain({ template: "billing", path: "/v1/refunds", body: "payment_intent=pi_1" });
  expect(refunds).toMatchObject({ verdict: "endpoint_denied", status: 403, rule: "allowed_endpoints" });
  const inputs = { customers: "cus_1" };
  const foreign = await explain({ template: "billing", inputs, body: `${CHARGE.body}&customer=cus_9` });
  expect(foreign.verdict).toBe("scope_denied");
});

test("takes what is left of a key's caps into account, and writes nothing", async () => {
  await recordCall(installed, { keyId, exposureUsd: "480" });
  const view = await explain({ key_id: keyId });
  expect(view).toMatchObject({ verdict: "cap_exceeded", status: 429, rule: "daily_usd_cap", exposure_usd: "29.99" });
  expect(view.message).toContain("daily_usd_cap is $500.00, of which $20.00 is left");
  expect((await explain({ key_id: keyId, body: "amount=2000&currency=usd" })).verdict).toBe("allowed");
  expect((await installed.control.auditTotals({})).calls).toBe(1);
});

test("knows brakes, revokes and expiry, in the order in which the proxy does", async () => {
  await installed.control.engageBrake({ label_prefix: "a/", reason: "incident 7" });
  const braked = await explain({ key_id: keyId });
  expect(braked).toMatchObject({ verdict: "brake_engaged", status: 403 });
  expect(braked.message).toContain("incident 7");
  expect((await explain({ template: "billing" })).verdict).toBe("allowed");
  await installed.control.revokeKeys({ ids: [keyId] }, ADMIN);
  expect(await explain({ key_id: keyId })).toMatchObject({ verdict: "key_revoked", status: 401 });
  const next = await installed.control.issueKey({ template: "refunds", policy: {} }, ADMIN);
  installed.clock.nowMs += 3_600_000;
  expect((await explain({ key_id: next.id, path: "/v1/refunds", body: "charge=ch_1&amount=1" })).verdict).toBe(
    "key_expired",
  );
});

test("takes form text with escapes, and JSON", async () => {
  const view = await explain({ template: "billing", body: "amount=2999&currency=usd&metadata%5Border_id%5D=x+y" });
  expect(view).toMatchObject({ verdict: "parameter_denied", rule: "parameters.metadata[order_id].matches" });
  const mail = { from: "a@example.com", to: ["b@example.org"], subject: "Hi", text: "Hi" };
  const sent = await explain({ template: "email", path: "/emails", body: JSON.stringify(mail) });
  expect(sent).toMatchObject({ verdict: "allowed", operation: "emails.send" });
});

test("refuses to explain by nothing, by two things, and by what is not there", async () => {
  const code = async (request: Partial<ExplainRequest>) => (await problemOf(() => explain(request))).code;
  expect(await code({})).toBe("invalid");
  expect(await code({ template: "billing", key_id: keyId })).toBe("invalid");
  expect(await code({ key_id: "vk_none" })).toBe("not_found");
  expect(await code({ template: "biling" })).toBe("not_found");
  expect(await code({ template: "billing", body: "a=%ZZ" })).toBe("invalid");
  expect(await code({ template: "billing", path: "/v1/../x" })).toBe("usage");
});

test("goes by the caps of the call's kind, and by no other's", async () => {
  const policy = {
    vendor: "stripe",
    allowed_endpoints: ["POST /v1/payouts", "POST /v1/payment_intents"],
    daily_usd_cap: 500,
    caps: { payout: { daily_usd: 20 }, refund: { daily_usd: 0 } },
  };
  const key = await installed.control.issueKey({ policy, expires_in: "1h" }, ADMIN);
  await recordCall(installed, { keyId: key.id, exposureUsd: "15", kind: "payout" });
  const payout = { key_id: key.id, path: "/v1/payouts", body: "amount=600&currency=usd" };
  const view = await explain(payout);
  expect(view).toMatchObject({ verdict: "cap_exceeded", status: 429, rule: "caps.payout.daily_usd" });
  expect(view.message).toContain("caps.payout.daily_usd is $20.00, of which $5.00 is left");
  expect(view.budgets.map(({ budget, used }) => [budget, used])).toEqual([
    ["daily_usd_cap", "15.00"],
    ["caps.payout.daily_usd", "15.00"],
  ]);
  expect((await explain({ ...payout, body: "amount=500&currency=usd" })).verdict).toBe("allowed");
  const charge = await explain({ key_id: key.id });
  expect([charge.verdict, charge.budgets.map(({ budget }) => budget)]).toEqual(["allowed", ["daily_usd_cap"]]);
});

test("names file and line of the rule that decides, and the key where its own copy does", async () => {
  const lineOf = (text: string) =>
    installed.templates
      .get("billing")
      .text.split("\n")
      .findIndex((line) => line.trim().startsWith(text)) + 1;
  const cases = [
    [{}, "allowed_endpoints[0]", "- POST /v1/payment_intents"],
    [{ body: "amount=15000&currency=usd" }, "max_amount_per_call_usd", "max_amount_per_call_usd:"],
    [{ body: "amount=1&currency=eur" }, "parameters.currency.in", "currency: {"],
    [{ body: `${CHARGE.body}&metadata[order_id]=x` }, "parameters.metadata[order_id].matches", "metadata[order_id]:"],
    [{ path: "/v1/refunds" }, "allowed_endpoints", "allowed_endpoints:"],
    [{ method: "GET", path: "/v1/customers/cus_1", body: "" }, "allowed_endpoints[2]", "- GET /v1/customers/*"],
    [{ inputs: { customers: "cus_1" }, body: `${CHARGE.body}&customer=cus_9` }, "customers", "customers: $"],
  ] as const;
  for (const [request, rule, line] of cases) {
    const view = await explain({ template: "billing", ...request });
    expect([view.rule, view.rule_place?.file, view.rule_place?.line]).toEqual([rule, "billing.yaml", lineOf(line)]);
  }
  const ofKey = { file: null, line: null, column: null, key_id: keyId };
  expect((await explain({ key_id: keyId, path: "/v1/refunds" })).rule_place).toEqual(ofKey);
  await installed.control.engageBrake({});
  expect((await explain({ key_id: keyId })).rule_place).toBeNull();
  expect((await explain({ template: "billing" })).rule_place).toBeNull();
});

test("says what would be left of each cap after the call, and nothing where it is refused", async () => {
  await recordCall(installed, { keyId, exposureUsd: "100" });
  const left = ({ budgets }: ExplainView) => budgets.map((budget) => [budget.remaining, budget.remaining_after]);
  const view = await explain({ key_id: keyId });
  expect(left(view)).toEqual([["400.00", "370.01"]]);
  expect(view).toMatchObject({ class: "priced", kind: "charge", looks_up: [] });
  expect(left(await explain({ key_id: keyId, path: "/v1/refunds" }))).toEqual([["400.00", null]]);
});

test("says what would be asked where the request does not tell the cost, and the limit of one call that decides then", async () => {
  const view = await explain({ template: "billing", path: "/v1/payment_intents/pi_1/confirm", body: "" });
  expect(view).toMatchObject({
    verdict: "allowed",
    rule: "allowed_endpoints[1]",
    class: "look_up",
    exposure_usd: null,
    max_amount_per_call_usd: "120.00",
    budgets: [{ remaining: "500.00", remaining_after: null }],
  });
  expect(view.looks_up[0]).toContain("GET /v1/payment_intents/pi_1");
  expect(view.message).toContain("over $120.00 it is refused");
});
