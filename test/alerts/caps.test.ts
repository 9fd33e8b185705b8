import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { lookOnce } from "../../src/alerts/watch.ts";
import type { AlertNews, AlertType } from "../../src/core/alert-event.ts";
import type { Budget } from "../../src/ledger/budget.ts";
import { SharedBudgets } from "../../src/ledger/shared-budgets.ts";
import { readBudgets } from "../../src/policy/budget-file.ts";
import { ADMIN, type Installed, install } from "../operate/installed.ts";
import { type RecordedCall, recordCall } from "../operate/record-call.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOTHING = new SharedBudgets([], new Map());

let installed: Installed;
beforeEach(async () => {
  installed = await install();
});
afterEach(() => installed.close());

async function issue(fields: Readonly<Record<string, unknown>>, label = "tenant:acme:1"): Promise<string> {
  const policy = { vendor: "stripe", allowed_endpoints: ["POST /v1/payment_intents"], ...fields };
  return (await installed.control.issueKey({ agent_run_label: label, expires_in: "80d", policy }, ADMIN)).id;
}

async function look(shared: SharedBudgets = NOTHING): Promise<void> {
  const { store, clock } = installed;
  const sharedCaps = (vendor: string, label: string | null) => shared.of(vendor, label);
  const options = { store, clock, targets: ["ops"], currencyRates: new Map(), runCostMicros: undefined, sharedCaps };
  await lookOnce({ ...options, pause: async () => {} }, new AbortController().signal);
}

async function told(type: AlertType): Promise<AlertNews[]> {
  const events = (await installed.store.listDeliveries(1_000)).map(({ event }) => event);
  return events.filter((event) => event.type === type).toSorted((a, b) => a.at - b.at);
}

function settled(keyId: string, usd: string, own: Partial<RecordedCall> = {}): Promise<string> {
  return recordCall(installed, { keyId, exposureUsd: usd, end: { to: "settled", costUsd: usd }, ...own });
}

describe("budgets above keys", () => {
  const shared = new SharedBudgets(
    readBudgets(
      `budgets:
        - { name: platform, daily_usd_cap: 1000, daily_send_cap: 10 }
        - { name: per-tenant, match: { label_prefix: "tenant:*:" }, daily_usd_cap: 100 }`,
      ["stripe"],
    ).budgets!,
    new Map(),
  );
  const above = (label: string): readonly Budget[] => shared.of("stripe", label);

  test("warn and are hit once, whichever keys spend from them, each member by itself", async () => {
    const ids = await Promise.all(["tenant:a:1", "tenant:a:2", "tenant:b:1"].map((label) => issue({}, label)));
    const [first, second, other] = ids as [string, string, string];
    await settled(first, "50", { above: above("tenant:a:1") });
    await look(shared);
    expect(await told("cap.warning")).toEqual([]);
    await settled(second, "30", { above: above("tenant:a:2") });
    await look(shared);
    await settled(first, "5", { above: above("tenant:a:1") });
    await settled(other, "80", { above: above("tenant:b:1") });
    await look(shared);
    expect(
      (await told("cap.warning")).map(({ text, data }) => [text, data["budget"], data["cap_field"], data["key_id"]]),
    ).toEqual([
      [
        "the budget per-tenant:a has used $80.00 of its daily_usd_cap of $100.00",
        "per-tenant:a",
        "daily_usd_cap",
        second,
      ],
      [
        "the budget per-tenant:b has used $80.00 of its daily_usd_cap of $100.00",
        "per-tenant:b",
        "daily_usd_cap",
        other,
      ],
    ]);
    for (const keyId of [first, second, first])
      await recordCall(installed, { keyId, exposureUsd: "30", above: above("tenant:a:1") });
    await look(shared);
    await recordCall(installed, { keyId: second, exposureUsd: "30", above: above("tenant:a:2") });
    await look(shared);
    expect((await told("cap.hit")).map(({ id, text, data }) => [id, text, data["cap"]])).toEqual([
      [
        `cap.hit:budget:per-tenant:a:daily_usd_cap:${installed.clock.nowMs}`,
        "the budget per-tenant:a is at its daily_usd_cap of $100.00: POST /v1/payment_intents was refused",
        "100.00",
      ],
    ]);
  });

  test("and again on the next day", async () => {
    const keyId = await issue({});
    for (const _day of [1, 2]) {
      await settled(keyId, "90", { above: above("tenant:acme:1") });
      await recordCall(installed, { keyId, exposureUsd: "30", above: above("tenant:acme:1") });
      await look(shared);
      installed.clock.nowMs += DAY_MS;
    }
    expect([(await told("cap.warning")).length, (await told("cap.hit")).length]).toEqual([2, 2]);
  });
});

describe("a cap over any 24 hours", () => {
  test("warns when 80 % are used, and no second time within 24 hours of that, also where use falls in between", async () => {
    const keyId = await issue({ daily_usd_cap: 100, cap_window: "rolling_24h" });
    await settled(keyId, "79.99");
    await look();
    expect(await told("cap.warning")).toEqual([]);
    installed.clock.nowMs += HOUR_MS;
    await settled(keyId, "0.01");
    await look();
    installed.clock.nowMs += 23 * HOUR_MS;
    // The first call has aged: 0.01 is left, and this makes it 90.01.
    await settled(keyId, "90");
    await look();
    expect((await told("cap.warning")).map(({ data }) => data["used_usd"])).toEqual(["80.00"]);
    installed.clock.nowMs += HOUR_MS;
    await settled(keyId, "1");
    await look();
    expect((await told("cap.warning")).map(({ data }) => data["used_usd"])).toEqual(["80.00", "91.00"]);
  });

  test("is hit once in 24 hours", async () => {
    const keyId = await issue({ daily_usd_cap: 100, cap_window: "rolling_24h" });
    for (const hours of [0, 1, 22, 0.999, 0.001]) {
      installed.clock.nowMs += hours * HOUR_MS;
      for (let n = 0; n < 3; n++) await recordCall(installed, { keyId, exposureUsd: "101" });
      await look();
    }
    expect((await told("cap.hit")).map(({ data }) => data["window_start"])).toEqual([
      "2026-01-01T00:00:00.000Z",
      "2026-01-02T00:00:00.000Z",
    ]);
  });

  test("does not warn by what has aged since anybody looked", async () => {
    const keyId = await issue({ daily_usd_cap: 100, cap_window: "rolling_24h" });
    await settled(keyId, "90");
    installed.clock.nowMs += DAY_MS;
    await settled(await issue({}, "other"), "1");
    await look();
    expect(await told("cap.warning")).toEqual([]);
  });
});

describe("counts", () => {
  const CASES = [
    ["daily_send_cap", { daily_send_cap: 10 }, { sends: 4 }, "8 sends of its daily_send_cap of 10 sends"],
    ["max_write_operations", { max_write_operations: 2 }, {}, "2 writes of its max_write_operations of 2 writes"],
  ] as const;
  for (const [field, policy, call, text] of CASES) {
    test(`${field} warns and is hit as money is`, async () => {
      const keyId = await issue(policy);
      for (let n = 0; n < 4; n++) {
        await recordCall(installed, { keyId, ...call, end: { to: "settled" } }).catch(() => {});
        await look();
      }
      const [warning, ...more] = await told("cap.warning");
      expect(more).toEqual([]);
      expect(warning!.text).toEndWith(`has used ${text}`);
      expect(warning!.data).toMatchObject({ budget: field, used: text.split(" ")[0] });
      expect((await told("cap.hit")).map(({ data }) => data["budget"])).toEqual([field]);
    });
  }

  test("a rate is no cap to warn of", async () => {
    const keyId = await issue({ requests_per_minute: 2 });
    for (let n = 0; n < 2; n++) await recordCall(installed, { keyId, end: { to: "settled" } });
    await look();
    expect(await told("cap.warning")).toEqual([]);
  });
});
