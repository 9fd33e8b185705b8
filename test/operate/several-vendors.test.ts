import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { parseUsd } from "../../src/core/money.ts";
import { ADMIN, type Installed, install, issuer, problemOf } from "./installed.ts";
import { recordCall } from "./record-call.ts";

let installed: Installed;
beforeEach(async () => {
  installed = await install();
});
afterEach(() => installed.close());

const POLICY = {
  vendors: {
    stripe: { daily_usd_cap: 50, allowed_endpoints: ["POST /v1/payment_intents"], customers: ["cus_1"] },
    resend: { daily_send_cap: 9, allowed_endpoints: ["POST /emails"] },
  },
  daily_usd_cap_total: 60,
  per_vendor_daily_caps: { resend: 20 },
};

const issue = (policy: Record<string, unknown> = POLICY, label = "run/1") =>
  installed.control.issueKey({ policy, agent_run_label: label, expires_in: "2h" }, ADMIN);
const one = (vendor: string) => issue({ vendor, allowed_endpoints: [], daily_usd_cap: 5 }, `${vendor} alone`);

describe("a key for several vendors", () => {
  test("is issued with an address, agent lines and variables for each", async () => {
    const issued = await issue();
    const url = installed.config.publicUrl;
    expect(issued).toMatchObject({
      vendor: null,
      vendors: ["stripe", "resend"],
      base_url: null,
      base_urls: { stripe: `${url}/stripe`, resend: `${url}/resend` },
      environment: {
        STRIPE_API_KEY: issued.vault_key,
        RESEND_API_KEY: issued.vault_key,
        RESEND_BASE_URL: `${url}/resend`,
      },
      warnings: [],
    });
    const lines = new Map(
      issued.agent_lines.map(({ vendor, language, lines: text }) => [`${vendor} ${language}`, text.join()]),
    );
    expect(lines.get("stripe Python")).toContain(`${url}/stripe`);
    expect(lines.get("resend Node")).toContain(`${url}/resend`);
  });

  test("is refused for a vendor that there is not, with the nearest one", async () => {
    const policy = { vendors: { stripe: {}, resent: {} } };
    expect((await problemOf(() => issue(policy))).message).toContain("did you mean resend?");
  });

  test("warns of what costs and has no cap, vendor by vendor", async () => {
    const { resend, stripe } = POLICY.vendors;
    const bare = { stripe: { ...stripe, daily_usd_cap: undefined }, resend };
    expect((await issue({ vendors: bare })).warnings).toEqual([
      'stripe: "POST /v1/payment_intents" costs money and there is no cap; give daily_usd_cap or total_usd_cap',
    ]);
  });

  test("shows what is used of each cap, to its operator and to its bearer", async () => {
    const { id } = await issue();
    await recordCall(installed, { keyId: id, exposureUsd: "30" });
    const facts = { vendor: "resend", path: "/emails", endpoint: "/emails" };
    await recordCall(installed, { keyId: id, exposureUsd: "2", sends: 4, kind: "email", facts });
    const budgets = [
      { budget: "vendors.stripe.daily_usd_cap", cap: "50.00", used: "30.00", remaining: "20.00" },
      { budget: "per_vendor_daily_caps.resend", cap: "20.00", used: "2.00", remaining: "18.00" },
      { budget: "vendors.resend.daily_send_cap", cap: "9", used: "4", remaining: "5" },
      { budget: "daily_usd_cap_total", cap: "60.00", used: "32.00", remaining: "28.00" },
    ];
    const { spend } = await installed.control.showKey(id, ADMIN);
    expect(spend).toMatchObject({ held_usd: "32.00", calls: 2, budgets });
    const { tokenHash } = (await installed.store.getKey(id))!;
    const self = await installed.control.self(tokenHash);
    expect(self).toMatchObject({ vendor: null, vendors: ["stripe", "resend"], spend: { budgets } });
  });

  test("is found and revoked by any of its vendors, as a whole, and others are left alone", async () => {
    const [several, stripe, twilio] = [await issue(), await one("stripe"), await one("twilio")];
    const ids = async (vendor: string) => {
      const { keys } = await installed.control.listKeys({ vendor, active: true }, ADMIN);
      return keys.map(({ id }) => id).sort();
    };
    expect(await ids("stripe")).toEqual([several.id, stripe.id].sort());
    expect(await ids("resend")).toEqual([several.id]);
    expect(await installed.control.revokeKeys({ vendor: "resend" }, ADMIN)).toEqual({
      revoked: [several.id],
      already_revoked: [],
    });
    expect(await ids("stripe")).toEqual([stripe.id]);
    expect(await ids("twilio")).toEqual([twilio.id]);
  });
});

describe("a change of such a key", () => {
  const change = async (policy: Record<string, unknown>) =>
    installed.control.updateKey((await issue()).id, { policy }, ADMIN);

  test("replaces fields of a vendor one by one, and takes away what is null", async () => {
    const policy = { vendors: { stripe: { daily_usd_cap: 40, customers: null } }, per_vendor_daily_caps: null };
    expect((await change(policy)).policy).toMatchObject({
      vendors: {
        stripe: { daily_usd_cap: "40.00", allowed_endpoints: ["POST /v1/payment_intents"] },
        resend: { daily_send_cap: 9, allowed_endpoints: ["POST /emails"] },
      },
      daily_usd_cap_total: "60.00",
    });
  });

  test("finds what was spent before, also for a total that it had not", async () => {
    const { vendors } = POLICY;
    const { id } = await issue({ vendors });
    await recordCall(installed, { keyId: id, exposureUsd: "30" });
    const { spend, warnings } = await installed.control.updateKey(id, { policy: { daily_usd_cap_total: 30 } }, ADMIN);
    expect(spend.budgets.at(-1)).toMatchObject({ budget: "daily_usd_cap_total", used: "30.00", remaining: "0.00" });
    expect(warnings).toEqual([expect.stringContaining("daily_usd_cap_total is $30.00, and $30.00 is used already")]);
  });

  test.each([
    [{ vendors: { twilio: {} } }, "is a key for stripe and resend; its vendors cannot be changed"],
    [{ vendors: { stripe: null } }, "its vendors cannot be changed"],
    [{ vendor: "stripe" }, "its vendors cannot be changed"],
    [{ daily_usd_cap: 5 }, "vendors.stripe.daily_usd_cap"],
    [{ cap_window: "rolling_24h" }, "counts by cap_window: utc_day"],
    [{ per_vendor_daily_caps: { twilio: 5 } }, "its vendors are stripe, resend"],
    [{ vendors: { stripe: { daily_cap: "5eur" } } }, "vendors.stripe.daily_cap is in eur"],
  ])("is refused: %j", async (policy, message) => {
    expect((await problemOf(() => change(policy))).message).toContain(message);
  });

  test("only narrows, for an issuer that is bound to templates", async () => {
    const bound = issuer({ templates: ["multi-vendor"] });
    const { id } = await installed.control.issueKey({ template: "multi-vendor", policy: {} }, bound);
    const update = (policy: Record<string, unknown>) => installed.control.updateKey(id, { policy }, bound);
    await update({ vendors: { twilio: { daily_send_cap: 5 } } });
    for (const policy of [{ vendors: { twilio: { daily_send_cap: 6 } } }, { per_vendor_daily_caps: { stripe: 501 } }]) {
      expect((await problemOf(() => update(policy))).message).toContain("is wider than the template's");
    }
    expect((await problemOf(() => update({ vendors: { twilio: { daily_send_cap: null } } }))).message).toContain(
      "not take vendors.twilio.daily_send_cap away",
    );
  });
});

test("an issuer's ceiling is one for the total of such a key", async () => {
  const bound = issuer({ maxDailyMicros: parseUsd("100") });
  const request = (policy: Record<string, unknown>) =>
    installed.control.issueKey({ policy: { ...POLICY, ...policy }, expires_in: "1h" }, bound);
  expect((await request({ daily_usd_cap_total: 100 })).vendors).toHaveLength(2);
  expect((await problemOf(() => request({ daily_usd_cap_total: 101 }))).message).toContain(
    "daily_usd_cap_total is $101.00",
  );
  expect((await problemOf(() => request({ daily_usd_cap_total: undefined }))).message).toContain(
    "this policy has none",
  );
});

describe("explain", () => {
  const explain = async (path: string, body?: string) => {
    const { id } = await issue();
    return installed.control.explain({ key_id: id, method: "POST", path, ...(body === undefined ? {} : { body }) });
  };

  test("goes by the rules and caps of the vendor that the path names, or whose path it is", async () => {
    for (const path of ["/stripe/v1/payment_intents", "/v1/payment_intents"]) {
      const view = await explain(path, "amount=500&currency=usd&customer=cus_1");
      expect(view).toMatchObject({ verdict: "allowed", vendor: "stripe", exposure_usd: "5.00" });
      expect(view.budgets.map(({ budget, remaining_after }) => [budget, remaining_after])).toEqual([
        ["vendors.stripe.daily_usd_cap", "45.00"],
        ["daily_usd_cap_total", "55.00"],
      ]);
      expect(view.message).toContain("$60.00 a UTC day over all its vendors");
    }
    const other = await explain("/resend/v1/payment_intents", "amount=500&currency=usd");
    expect(other).toMatchObject({ verdict: "endpoint_denied", vendor: "resend" });
  });

  test("says which prefixes there are where the path is no vendor's", async () => {
    const problem = await problemOf(() => explain("/nothing"));
    expect(`${problem.message} ${problem.hint}`).toContain("begin it with /stripe or /resend");
  });

  test("finds the rule's line in the template", async () => {
    const view = await installed.control.explain({
      template: "multi-vendor",
      method: "POST",
      path: "/stripe/v1/payment_intents",
      body: "amount=15000&currency=usd",
    });
    expect(view).toMatchObject({ verdict: "amount_denied", rule: "max_amount_per_call_usd" });
    const { source } = await installed.control.showTemplate("multi-vendor");
    expect(source.split("\n")[view.rule_place!.line! - 1]).toContain("max_amount_per_call_usd: 120");
  });
});

test("replay counts the recorded calls of all vendors on the template's total", async () => {
  const { id } = await issue();
  const end = (costUsd: string) => ({ to: "settled", costUsd }) as const;
  const facts = { vendor: "resend", path: "/emails", endpoint: "/emails" };
  await recordCall(installed, { keyId: id, exposureUsd: "8", end: end("8"), facts: { customerScopeId: "cus_1" } });
  installed.clock.nowMs += 1_000;
  await recordCall(installed, { keyId: id, exposureUsd: "2", sends: 1, kind: "email", end: end("2"), facts });
  installed.clock.nowMs += 1_000;
  await recordCall(installed, { keyId: id, exposureUsd: "1", sends: 1, kind: "email", end: end("1"), facts });
  const text = `vendors:
  stripe: { allowed_endpoints: [POST /v1/payment_intents], parameters: { currency: { in: [usd] } } }
  resend: { allowed_endpoints: [POST /emails] }
daily_usd_cap_total: 10
`;
  const view = await installed.control.replayPolicy({ source: { file_name: "new.yaml", text }, filter: {} });
  expect(view).toMatchObject({
    vendor: null,
    vendors: ["stripe", "resend"],
    allowed: { calls: 2, usd: "10.00" },
    refused: { calls: 1, usd: "1.00" },
    rules: [{ vendor: "resend", verdict: "cap_exceeded", rule: "daily_usd_cap_total", rule_place: { line: 4 } }],
    endpoints: [{ endpoint: "POST /resend/emails", calls: 1 }],
    not_checked: ["vendors.stripe.parameters"],
  });
});
