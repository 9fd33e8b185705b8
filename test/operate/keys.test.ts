import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { parseUsd } from "../../src/core/money.ts";
import type { Actor, IssuedKeyView, UpdateKeyRequest } from "../../src/operate/control-plane.ts";
import { createControlPlane } from "../../src/operate/create-control-plane.ts";
import { ADMIN, AUDITOR, type Installed, install, issuer, problemOf, START_MS } from "./installed.ts";
import { recordCall } from "./record-call.ts";

let installed: Installed;

beforeEach(async () => {
  installed = await install();
});
afterEach(() => installed.close());

const CHARGES = { vendor: "stripe", daily_usd_cap: 500, allowed_endpoints: ["POST /v1/payment_intents"] };

function issue(label?: string, actor: Actor = ADMIN, vendor = "stripe"): Promise<IssuedKeyView> {
  installed.clock.nowMs += 1;
  const policy = { ...CHARGES, vendor };
  return installed.control.issueKey({ policy, expires_in: "2h", ...(label && { agent_run_label: label }) }, actor);
}

describe("a list of keys", () => {
  test("is newest first, and goes on where the page before ended", async () => {
    const ids: string[] = [];
    for (const label of ["a", "b", "c"]) ids.unshift((await issue(label)).id);
    const first = await installed.control.listKeys({ limit: 2 }, ADMIN);
    expect(first.keys.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const second = await installed.control.listKeys({ limit: 2, cursor: first.next_cursor! }, ADMIN);
    expect(second.keys.map(({ id }) => id)).toEqual(ids.slice(2));
    expect(second.next_cursor).toBeNull();
  });

  test("is filtered by label, part of a label, vendor and state", async () => {
    const acme = await issue("tenant:acme:run-1");
    await issue("tenant:other:run-1");
    const resend = await issue("mail", ADMIN, "resend");
    await installed.control.revokeKeys({ ids: [resend.id] }, ADMIN);
    const ids = async (filter: object) => (await installed.control.listKeys(filter, ADMIN)).keys.map(({ id }) => id);
    expect(await ids({ label: "tenant:acme:run-1" })).toEqual([acme.id]);
    expect(await ids({ label_contains: "acme" })).toEqual([acme.id]);
    expect(await ids({ vendor: "resend" })).toEqual([resend.id]);
    expect(await ids({ active: true })).toHaveLength(2);
    installed.clock.nowMs += 7_200_000;
    expect(await ids({ active: true })).toEqual([]);
  });

  test("refuses another vendor, a page without end and a cursor of its own making", async () => {
    for (const filter of [{ vendor: "strip" }, { limit: 0 }, { limit: 1001 }, { limit: 1.5 }, { cursor: "' OR 1" }]) {
      expect((await problemOf(() => installed.control.listKeys(filter, ADMIN))).code).toBe("invalid");
    }
  });
});

describe("what a key has spent", () => {
  test("is shown by state, and for each budget with what is left and when it starts again", async () => {
    const { id } = await issue("run");
    await recordCall(installed, { keyId: id, exposureUsd: "30", end: { to: "settled", costUsd: "29.99" } });
    await recordCall(installed, { keyId: id, exposureUsd: "10", end: { to: "unresolved" } });
    await recordCall(installed, { keyId: id, exposureUsd: "5" });
    const { spend } = await installed.control.showKey(id, ADMIN);
    expect(spend).toEqual({
      settled_usd: "29.99",
      held_usd: "5.00",
      unresolved_usd: "10.00",
      calls: 3,
      refused: 0,
      budgets: [
        {
          budget: "daily_usd_cap",
          unit: "usd",
          window: "utc_day",
          cap: "500.00",
          used: "44.99",
          remaining: "455.01",
          reset_at: "2026-01-02T00:00:00.000Z",
        },
      ],
    });
  });

  test("is nothing again in a new day's window, and the totals stay", async () => {
    const { id } = await issue("run");
    await recordCall(installed, { keyId: id, exposureUsd: "30", end: { to: "settled", costUsd: "30" } });
    installed.clock.nowMs = START_MS + 86_400_000;
    const { spend, status } = await installed.control.showKey(id, ADMIN);
    expect(status).toBe("expired");
    expect(spend.settled_usd).toBe("30.00");
    expect(spend.budgets[0]).toMatchObject({ used: "0.00", remaining: "500.00", reset_at: "2026-01-03T00:00:00.000Z" });
  });

  test("leaves nothing where the cap was lowered below it", async () => {
    const { id } = await issue("run");
    await recordCall(installed, { keyId: id, exposureUsd: "30" });
    const changed = await installed.control.updateKey(id, { policy: { daily_usd_cap: 10 } }, ADMIN);
    expect(changed.spend.budgets[0]).toMatchObject({ cap: "10.00", used: "30.00", remaining: "0.00" });
  });

  test("is what the key's own bearer is shown, and nothing of who issued it", async () => {
    const { id } = await issue("run");
    const { tokenHash } = (await installed.store.getKey(id))!;
    const shown = await installed.control.self(tokenHash);
    expect(shown).toMatchObject({ key_id: id, status: "active", agent_run_label: "run" });
    expect(Object.keys(shown)).toEqual([
      "key_id",
      "vendor",
      "vendors",
      "agent_run_label",
      "status",
      "expires_at",
      "policy",
      "spend",
      "shared_budgets",
      "auto_revoke",
    ]);
    expect((await problemOf(() => installed.control.self(new Uint8Array(32)))).code).toBe("not_found");
  });
});

describe("a change", () => {
  test("replaces the fields that are given, takes away those that are null, and leaves the rest", async () => {
    const { id } = await issue("run");
    const policy = { daily_usd_cap: null, total_usd_cap: "9.5", denied_endpoints: ["POST /v1/payouts"] };
    const changed = await installed.control.updateKey(id, { policy }, ADMIN);
    expect(changed.policy).toEqual({
      vendor: "stripe",
      expires_in: "2h",
      allowed_endpoints: ["POST /v1/payment_intents"],
      total_usd_cap: "9.50",
      denied_endpoints: ["POST /v1/payouts"],
    });
    expect((await installed.store.getKey(id))?.version).toBe(2);
  });

  test("of the expiry counts from now, longer or shorter", async () => {
    const { id } = await issue("run");
    const expiry = async (expires_in: string) =>
      Date.parse((await installed.control.updateKey(id, { expires_in, policy: {} }, ADMIN)).expires_at);
    expect(await expiry("30d")).toBe(installed.clock.now() + 30 * 86_400_000);
    expect(await expiry("1s")).toBe(installed.clock.now() + 1000);
  });

  const REFUSED: readonly (readonly [what: string, change: UpdateKeyRequest, message: RegExp])[] = [
    ["nothing", { policy: {} }, /nothing to change/],
    ["the vendor", { policy: { vendor: "twilio" } }, /vendor cannot be changed/],
    ["the window that it counts by", { policy: { cap_window: "rolling_24h" } }, /counts by cap_window: utc_day/],
    ["a field that there is not", { policy: { daily_usd: 5 } }, /daily_usd/],
    ["a field that there is not, away", { policy: { daily_usd_capp: null } }, /did you mean daily_usd_cap/],
    ["a cap to nonsense", { policy: { daily_usd_cap: "-1" } }, /dollars/],
    ["the expiry beyond the maximum", { policy: {}, expires_in: "91d" }, /at most 90d/],
  ];

  test.each(REFUSED)("to %s is refused, and the key stays as it was", async (_what, change, message) => {
    const { id } = await issue("run");
    const problem = await problemOf(() => installed.control.updateKey(id, change, ADMIN));
    expect(problem.code).toBe("invalid");
    expect(problem.message).toMatch(message);
    expect((await installed.store.getKey(id))?.version).toBe(1);
  });

  test("of a revoked key is refused: revoked stays revoked", async () => {
    const { id } = await issue("run");
    await installed.control.revokeKeys({ ids: [id] }, ADMIN);
    const problem = await problemOf(() => installed.control.updateKey(id, { policy: {}, expires_in: "1h" }, ADMIN));
    expect(problem.code).toBe("conflict");
  });

  test("that somebody else was faster with is made again on what is there then", async () => {
    const { id } = await issue("run");
    const { store } = installed;
    const updateKey = store.updateKey.bind(store);
    let raced = false;
    Object.assign(store, {
      updateKey: async (...args: Parameters<typeof updateKey>) => {
        if (!raced) {
          raced = true;
          await installed.control.updateKey(id, { policy: { total_usd_cap: 7 } }, ADMIN);
        }
        return updateKey(...args);
      },
    });
    const changed = await installed.control.updateKey(id, { policy: { daily_usd_cap: 3 } }, ADMIN);
    expect(changed.policy).toMatchObject({ total_usd_cap: "7.00", daily_usd_cap: "3.00" });
  });
});

describe("an issuer", () => {
  const OWN = issuer({ templates: ["billing"], maxDailyMicros: parseUsd("100") });

  async function ownKey(): Promise<string> {
    const request = { template: "billing", policy: { daily_usd_cap: 50 } };
    return (await installed.control.issueKey(request, OWN)).id;
  }

  test("sees its own keys and no others, not even that they exist", async () => {
    const foreign = await issue("run");
    const own = await ownKey();
    expect((await installed.control.listKeys({}, OWN)).keys.map(({ id }) => id)).toEqual([own]);
    const attempts = [
      () => installed.control.showKey(foreign.id, OWN),
      () => installed.control.updateKey(foreign.id, { policy: { daily_usd_cap: 1 } }, OWN),
      () => installed.control.revokeKeys({ ids: [foreign.id] }, OWN),
      () => installed.control.showKey("vk_none", OWN),
    ];
    for (const attempt of attempts) expect((await problemOf(attempt)).code).toBe("not_found");
    expect((await installed.control.showKey(foreign.id, ADMIN)).status).toBe("active");
  });

  test("narrows its keys within their template", async () => {
    const id = await ownKey();
    const change = { policy: { daily_usd_cap: 5, allowed_endpoints: ["GET /v1/customers/*"] }, expires_in: "2h" };
    const changed = await installed.control.updateKey(id, change, OWN);
    expect(changed.policy).toMatchObject({ daily_usd_cap: "5.00", allowed_endpoints: ["GET /v1/customers/*"] });
  });

  const WIDER: readonly (readonly [what: string, change: UpdateKeyRequest])[] = [
    ["a higher cap", { policy: { daily_usd_cap: 51 } }],
    ["another endpoint", { policy: { allowed_endpoints: ["POST /v1/payouts"] } }],
    ["a rule taken away", { policy: { max_amount_per_call_usd: null } }],
    ["a longer life", { policy: {}, expires_in: "3h" }],
  ];

  test.each(WIDER)("cannot take the template off its key by %s", async (_what, change) => {
    const id = await ownKey();
    const problem = await problemOf(() => installed.control.updateKey(id, change, OWN));
    expect(["invalid", "forbidden"]).toContain(problem.code);
    expect((await installed.store.getKey(id))?.version).toBe(1);
  });

  test("without templates stays under its ceiling", async () => {
    const capped = issuer({ maxDailyMicros: parseUsd("100") });
    const { id } = await installed.control.issueKey(
      { policy: { ...CHARGES, daily_usd_cap: 9 }, expires_in: 60 },
      capped,
    );
    expect((await installed.control.updateKey(id, { policy: { daily_usd_cap: 100 } }, capped)).id).toBe(id);
    for (const daily_usd_cap of [100.01, null]) {
      const problem = await problemOf(() => installed.control.updateKey(id, { policy: { daily_usd_cap } }, capped));
      expect(problem.code).toBe("forbidden");
    }
  });
});

test("an auditor sees every key and changes none", async () => {
  const { id } = await issue("run");
  expect((await installed.control.showKey(id, AUDITOR)).id).toBe(id);
  expect((await installed.control.listKeys({}, AUDITOR)).keys).toHaveLength(1);
  const update = () => installed.control.updateKey(id, { policy: { daily_usd_cap: 1 } }, AUDITOR);
  const revoke = () => installed.control.revokeKeys({ ids: [id] }, AUDITOR);
  for (const attempt of [update, revoke]) expect((await problemOf(attempt)).code).toBe("forbidden");
});

describe("caps by kind", () => {
  const REFUNDS = { vendor: "stripe", allowed_endpoints: ["POST /v1/refunds", "POST /v1/payment_intents"] };

  async function keyWith(policy: Record<string, unknown>): Promise<string> {
    return (await installed.control.issueKey({ policy: { ...REFUNDS, ...policy }, expires_in: "2h" }, ADMIN)).id;
  }

  test("are shown with what is used of each, to operators and to the key itself", async () => {
    const id = await keyWith({ daily_usd_cap: 500, caps: { refund: { daily_usd: 50 }, charge: { total_usd: 90 } } });
    await recordCall(installed, { keyId: id, exposureUsd: "30", kind: "refund" });
    await recordCall(installed, { keyId: id, exposureUsd: "20" });
    const used = [
      { budget: "daily_usd_cap", cap: "500.00", used: "50.00", remaining: "450.00" },
      { budget: "caps.charge.total_usd", cap: "90.00", used: "20.00", reset_at: null },
      { budget: "caps.refund.daily_usd", cap: "50.00", used: "30.00", reset_at: "2026-01-02T00:00:00.000Z" },
    ];
    expect((await installed.control.showKey(id, ADMIN)).spend.budgets).toMatchObject(used);
    const { tokenHash } = (await installed.store.getKey(id))!;
    expect((await installed.control.self(tokenHash)).spend.budgets).toMatchObject(used);
  });

  test("that are set below what is used say so, and until when", async () => {
    const id = await keyWith({ total_usd_cap: 500 });
    await recordCall(installed, { keyId: id, exposureUsd: "30" });
    const policy = { daily_usd_cap: 20, total_usd_cap: 30 };
    expect((await installed.control.updateKey(id, { policy }, ADMIN)).warnings).toEqual([
      "daily_usd_cap is $20.00, and $30.00 is used already: nothing more of it can be spent until 2026-01-02T00:00:00.000Z",
      "total_usd_cap is $30.00, and $30.00 is used already: nothing more of it can be spent for good",
    ]);
    const above = { daily_usd_cap: 31, total_usd_cap: 31 };
    expect((await installed.control.updateKey(id, { policy: above }, ADMIN)).warnings).toEqual([]);
  });

  test("that let calls of unknown cost in uncounted say so, once", async () => {
    const id = await keyWith({ total_usd_cap: 500 });
    const warningsOf = async (policy: Record<string, unknown>) =>
      (await installed.control.updateKey(id, { policy }, ADMIN)).warnings;
    expect(await warningsOf({ on_unknown_cost: "allow" })).toEqual([
      expect.stringContaining("on_unknown_cost: allow lets calls of unknown cost in that no cap in dollars counts"),
    ]);
    expect(await warningsOf({ total_usd_cap: 600 })).toEqual([]);
    expect(await warningsOf({ on_unknown_cost: "reserve_usd=5" })).toEqual([]);
  });

  test("that are added later count from then on, which the change says; a cap of all dollars finds what was spent", async () => {
    const id = await keyWith({ total_usd_cap: 500 });
    await recordCall(installed, { keyId: id, exposureUsd: "30", kind: "refund" });
    const policy = { caps: "refund.daily_usd=50", daily_usd_cap: 100 };
    const changed = await installed.control.updateKey(id, { policy }, ADMIN);
    expect(changed.warnings).toEqual([
      "caps.refund.daily_usd counts from now on: what was spent before it was set is not in it",
    ]);
    await recordCall(installed, { keyId: id, exposureUsd: "9", kind: "refund" });
    expect((await installed.control.showKey(id, ADMIN)).spend.budgets).toMatchObject([
      { budget: "daily_usd_cap", used: "39.00" },
      { budget: "total_usd_cap", used: "39.00" },
      { budget: "caps.refund.daily_usd", used: "9.00" },
    ]);
    expect(
      (await installed.control.updateKey(id, { policy: { caps: "refund.daily_usd=20" } }, ADMIN)).warnings,
    ).toEqual([]);
    expect((await installed.control.updateKey(id, { policy: { caps: null } }, ADMIN)).policy).not.toHaveProperty(
      "caps",
    );
    expect(await installed.store.checkCounters()).toEqual([]);
  });

  test("are only lowered and added by an issuer that is bound to templates", async () => {
    const bound = issuer({ templates: ["refunds"] });
    const { id } = await installed.control.issueKey({ template: "refunds", policy: {} }, bound);
    const update = (caps: unknown) => installed.control.updateKey(id, { policy: { caps } }, bound);
    expect((await update({ refund: { total_usd: 90 } })).policy["caps"]).toEqual({
      refund: { daily_usd: "200.00", total_usd: "90.00" },
    });
    expect((await problemOf(() => update({ refund: { daily_usd: 201 } }))).message).toContain("caps.refund.daily_usd");
    expect((await problemOf(() => update(null))).message).toContain("not take caps away");
  });
});

describe("caps in another currency", () => {
  const RATES = { currencyRates: new Map([["eur", 1_100_000n]]) };
  const policy = { ...CHARGES, daily_usd_cap: 600, daily_cap: { amount: 500, currency: "eur" } };

  test("are shown in dollars by today's rate, beside those in dollars, with the same use", async () => {
    const euros = await install({ config: RATES });
    const { id } = await euros.control.issueKey({ policy, expires_in: "2h" }, ADMIN);
    await recordCall(euros, { keyId: id, exposureUsd: "30" });
    expect((await euros.control.showKey(id, ADMIN)).spend.budgets).toMatchObject([
      { budget: "daily_usd_cap", cap: "600.00", used: "30.00" },
      { budget: "daily_cap", cap: "550.00", used: "30.00", remaining: "520.00" },
    ]);
    await euros.close();
  });

  test("are refused without a rate, with the setting that is missing, also as a change", async () => {
    const issue = () => installed.control.issueKey({ policy, expires_in: "2h" }, ADMIN);
    const problem = await problemOf(issue);
    expect(problem).toMatchObject({
      code: "invalid",
      hint: expect.stringContaining("set currency_rates.eur in keybrake.yaml"),
    });
    expect(problem.message).toBe("daily_cap is in eur, and this server has no rate for that (currency_rates.eur)");
    const { id } = await installed.control.issueKey({ policy: CHARGES, expires_in: "2h" }, ADMIN);
    const change = { policy: { total_cap: "9 gbp" } };
    expect((await problemOf(() => installed.control.updateKey(id, change, ADMIN))).message).toContain(
      "currency_rates.gbp",
    );
  });

  test("count as nothing once their rate is gone, and the key can still be changed", async () => {
    const euros = await install({ config: RATES });
    const { id } = await euros.control.issueKey({ policy, expires_in: "2h" }, ADMIN);
    const without = createControlPlane({ ...euros.options, config: { ...euros.config, currencyRates: new Map() } });
    expect((await without.showKey(id, ADMIN)).spend.budgets).toMatchObject([{ cap: "600.00" }, { cap: "0.00" }]);
    expect(await without.updateKey(id, { policy: { total_usd_cap: 900 } }, ADMIN)).toMatchObject({ warnings: [] });
    const found = (await without.doctor()).filter(({ check }) => check === "currencies");
    expect(found).toMatchObject([
      { level: "error", message: `${id} has a cap in eur, which has no rate: the cap counts as $0.00` },
    ]);
    await euros.close();
  });
});
