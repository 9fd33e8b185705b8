import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { AuditRow } from "../../src/audit/row.ts";
import type { ResolveCallRequest } from "../../src/operate/resolution.ts";
import { ADMIN, AUDITOR, type Installed, install, issuer, problemOf } from "./installed.ts";
import { endCall, type RecordedCall, recordCall } from "./record-call.ts";

let installed: Installed;
let keyId: string;

beforeEach(async () => {
  installed = await install();
  keyId = await issueKey();
});
afterEach(() => installed.close());

async function issueKey(policy: Readonly<Record<string, unknown>> = {}, actor = ADMIN): Promise<string> {
  const all = {
    vendor: "stripe",
    allowed_endpoints: ["POST /v1/payment_intents"],
    daily_usd_cap: 100,
    total_usd_cap: 1000,
    ...policy,
  };
  const request = { agent_run_label: "ray-billing/01", expires_in: "7d", policy: all };
  return (await installed.control.issueKey(request, actor)).id;
}

function unresolved(call: Partial<RecordedCall> = {}): Promise<string> {
  return recordCall(installed, { keyId, exposureUsd: "30", end: { to: "unresolved" }, ...call });
}

async function rows(): Promise<readonly AuditRow[]> {
  return (await installed.store.queryAudit({}, { limit: 100 })).rows;
}

async function usedOf(budget: string): Promise<string> {
  const { spend } = await installed.control.showKey(keyId, ADMIN);
  return spend.budgets.find((each) => each.budget === budget)!.used;
}

const OUTCOMES: readonly (readonly [
  request: ResolveCallRequest,
  state: "settled" | "released",
  cost: string,
  flag: string,
])[] = [
  [{ settled_usd: "29.99" }, "settled", "29.99", "operator:local"],
  [
    { settled_usd: 12.5, reason: "pi_1 in the Dashboard" },
    "settled",
    "12.50",
    "operator:local; reason: pi_1 in the Dashboard",
  ],
  [{ settled_usd: "0.000001" }, "settled", "0.000001", "operator:local"],
  [{ settled_usd: "0" }, "settled", "0.00", "operator:local"],
  [{ settled_usd: "45" }, "settled", "45.00", "operator:local; overrun"],
  [{ released: true, reason: "no trace of it" }, "released", "0.00", "operator:local; reason: no trace of it"],
];

describe("an unresolved call of $30", () => {
  test.each(OUTCOMES)(
    "resolved by %j is a new row, and every cap counts its cost",
    async (request, state, cost, flag) => {
      const callId = await unresolved({ facts: { customerScopeId: "cus_1" } });
      const before = await rows();
      installed.clock.nowMs += 60_000;
      const view = await installed.control.resolveCall(callId, request, ADMIN);
      expect(view).toMatchObject({ refers_to: callId, state, cost_usd: cost, exposure_usd: "30.00", flag });
      expect(view).toMatchObject({ vault_key_id: keyId, agent_run_label: "ray-billing/01" });
      expect(view.budget).toMatchObject({
        budget: "daily_usd_cap",
        cap: "100.00",
        used_before: "30.00",
        used_after: cost,
      });
      const after = await rows();
      expect(after).toHaveLength(2);
      expect(after[0]).toEqual(before[0]!);
      expect(after[1]).toMatchObject({
        id: view.id,
        refersTo: callId,
        state,
        costSource: "manual",
        flag,
        policyVerdict: "allowed",
        customerScopeId: "cus_1",
        finishedAt: installed.clock.nowMs,
      });
      expect([await usedOf("daily_usd_cap"), await usedOf("total_usd_cap")]).toEqual([cost, cost]);
      expect(await installed.store.checkCounters()).toEqual([]);
      expect((await installed.store.queryAudit({ state: "unresolved" }, { limit: 5 })).rows).toEqual([]);
    },
  );

  test("warns where it is settled above what was held, and where it is settled at nothing", async () => {
    const [above, nothing, plain] = [await unresolved(), await unresolved(), await unresolved()];
    const warningsOf = async (id: string, settled_usd: string) =>
      (await installed.control.resolveCall(id, { settled_usd }, ADMIN)).warnings.join();
    expect(await warningsOf(above, "45")).toContain("$45.00, above the $30.00 that was held");
    expect(await warningsOf(nothing, "0")).toContain("counts as made");
    expect(await warningsOf(plain, "30")).toBe("");
  });

  test("is resolved once, also by two operators at the same moment", async () => {
    const callId = await unresolved();
    const both = await Promise.allSettled([
      installed.control.resolveCall(callId, { settled_usd: "1" }, ADMIN),
      installed.control.resolveCall(callId, { released: true }, ADMIN),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const refused = both.find(({ status }) => status === "rejected") as PromiseRejectedResult;
    expect(refused.reason).toMatchObject({
      code: "conflict",
      message: `${callId} was resolved before: a call is resolved once`,
    });
    expect(await rows()).toHaveLength(2);
  });

  test("gives a day that is over its own cap back, and leaves today's alone", async () => {
    const callId = await unresolved();
    installed.clock.nowMs += 86_400_000;
    await recordCall(installed, { keyId, exposureUsd: "7", end: { to: "settled", costUsd: "7" } });
    const { budget } = await installed.control.resolveCall(callId, { released: true }, ADMIN);
    expect(budget).toMatchObject({ used_before: "30.00", used_after: "0.00", reset_at: "2026-01-02T00:00:00.000Z" });
    expect([await usedOf("daily_usd_cap"), await usedOf("total_usd_cap")]).toEqual(["7.00", "7.00"]);
  });

  test("is said against the cap of its kind where that has the least left, and never against another kind's", async () => {
    keyId = await issueKey({ caps: { refund: { daily_usd: 40 }, payout: { daily_usd: 1 } } });
    const refund = await unresolved({ kind: "refund" });
    const charge = await unresolved();
    const budgetOf = async (id: string) =>
      (await installed.control.resolveCall(id, { settled_usd: "10" }, ADMIN)).budget;
    expect(await budgetOf(refund)).toMatchObject({ budget: "caps.refund.daily_usd", used_before: "30.00" });
    expect(await budgetOf(charge)).toMatchObject({
      budget: "daily_usd_cap",
      used_before: "40.00",
      used_after: "20.00",
    });
  });

  test("of a key without caps is resolved, too", async () => {
    keyId = await issueKey({ daily_usd_cap: undefined, total_usd_cap: undefined });
    expect(await installed.control.resolveCall(await unresolved(), { released: true }, ADMIN)).toMatchObject({
      state: "released",
      budget: null,
    });
  });
});

const WRONG: readonly (readonly [request: ResolveCallRequest, message: string])[] = [
  [{}, "nothing says what became of the call"],
  [{ released: false }, "nothing says what became of the call"],
  [{ settled_usd: "1", released: true }, "settled_usd and released are both given"],
  [{ settled_usd: "-1" }, 'settled_usd: "-1" is not a dollar amount'],
  [{ settled_usd: "1.0000001" }, "up to six decimals"],
  [{ settled_usd: "1e3" }, "is not a dollar amount"],
  [{ settled_usd: "2000000000000" }, "more than Keybrake keeps"],
  [{ settled_usd: "" }, "is not a dollar amount"],
  [{ released: true, reason: "a\u0007" }, "reason must be one line"],
];

test.each(WRONG)("refuses %j, and changes nothing", async (request, message) => {
  const callId = await unresolved();
  const problem = await problemOf(() => installed.control.resolveCall(callId, request, ADMIN));
  expect(problem.code).toBe("invalid");
  expect(problem.message).toContain(message);
  expect(await rows()).toHaveLength(1);
});

describe("whose call it is", () => {
  test("an issuer resolves calls of the keys that it issued, under its name, and cannot tell that there are others", async () => {
    const foreign = await unresolved();
    keyId = await issueKey({}, issuer());
    const own = await unresolved();
    const theirs = await problemOf(() => installed.control.resolveCall(foreign, { released: true }, issuer()));
    expect(theirs).toMatchObject({ code: "not_found", message: `there is no unresolved call ${foreign}` });
    // The two ids begin alike: for the issuer its own is the only one.
    const { flag, refers_to } = await installed.control.resolveCall(own.slice(0, 10), { released: true }, issuer());
    expect([flag, refers_to]).toEqual(["operator:tok_issuer", own]);
  });

  test("an auditor changes nothing", async () => {
    const callId = await unresolved();
    const problem = await problemOf(() => installed.control.resolveCall(callId, { released: true }, AUDITOR));
    expect(problem.code).toBe("forbidden");
    expect(await rows()).toHaveLength(1);
  });
});

test("a call that is still at the vendor keeps its hold, and is resolved once it is unresolved", async () => {
  const callId = await recordCall(installed, { keyId, exposureUsd: "30" });
  const problem = await problemOf(() => installed.control.resolveCall(callId, { released: true }, ADMIN));
  expect(problem.code).toBe("conflict");
  expect(problem.message).toContain("still at the vendor");
  expect(await usedOf("daily_usd_cap")).toBe("30.00");
  await endCall(installed, callId, "unresolved");
  expect(await installed.control.resolveCall(callId, { released: true }, ADMIN)).toMatchObject({ state: "released" });
});
