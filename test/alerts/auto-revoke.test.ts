import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type AutoRevokeOptions, autoRevokeOnce } from "../../src/alerts/auto-revoke-upkeep.ts";
import { lookOnce } from "../../src/alerts/watch.ts";
import type { CallEnd } from "../../src/audit/row.ts";
import { timeOrderedId } from "../../src/core/id.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Store } from "../../src/store/store.ts";
import { ADMIN, type Installed, install } from "../operate/installed.ts";
import { recordCall, recordCalls } from "../operate/record-call.ts";

const HOUR_MS = 3_600_000;
const GOING_ON = new AbortController().signal;

let installed: Installed;
beforeEach(async () => {
  installed = await install();
});
afterEach(() => installed.close());

async function issue(auto_revoke: unknown, label = "run/1"): Promise<string> {
  const policy = { vendor: "stripe", allowed_endpoints: ["POST /v1/payment_intents"], daily_usd_cap: 100, auto_revoke };
  return (await installed.control.issueKey({ agent_run_label: label, expires_in: "80d", policy }, ADMIN)).id;
}

const logged: unknown[] = [];
async function look(own: Partial<AutoRevokeOptions> = {}): Promise<void> {
  const { store, clock } = installed;
  const log = { info: (...line: unknown[]) => logged.push(line), error: () => {} };
  await autoRevokeOnce({ store, clock, log, pause: async () => {}, ...own }, GOING_ON);
}

/** Refused by a cap, so many times in this millisecond; the id of the last. */
async function hit(keyId: string, times = 1): Promise<string> {
  let last = "";
  for (let time = 0; time < times; time++) last = await recordCall(installed, { keyId, refusal: "cap_exceeded" });
  return last;
}

/** A call that has gone to the vendor and ended like this. */
async function sent(keyId: string, ending: Partial<CallEnd>, to: "settled" | "released" | "unresolved" = "released") {
  const callId = await recordCall(installed, { keyId, facts: { id: timeOrderedId("call", installed.clock.nowMs) } });
  const end: CallEnd = {
    finishedAt: installed.clock.nowMs,
    verdict: "allowed",
    costMicros: 0n,
    costSource: "none",
    vendorRequestId: null,
    vendorTxnId: null,
    httpStatus: 200,
    latencyMs: 1,
    upstreamLatencyMs: 1,
    flag: null,
    ...ending,
  };
  await installed.store.apply([{ type: "resolve", callId, to, end }], installed.clock.nowMs);
}

async function reasonOf(keyId: string): Promise<string | null> {
  const { revokedAt, revokeReason } = (await installed.store.getKey(keyId))!;
  return revokedAt === null ? null : revokeReason;
}

describe("cap_hits", () => {
  test("revokes at the limit, not before, and the reason names rule, limit, value and call", async () => {
    const keyId = await issue({ cap_hits: 3, within: "1h" });
    await hit(keyId, 2);
    await look();
    expect(await reasonOf(keyId)).toBeNull();
    installed.clock.nowMs += 1_000;
    const last = await hit(keyId);
    await look();
    expect(await reasonOf(keyId)).toBe(`auto_revoke: 3 cap_hits within 1h, the limit is 3; the last was ${last}`);
    expect(logged.at(-1)).toEqual(["key_auto_revoked", { key: keyId, reason: await reasonOf(keyId) }]);
  });

  const SPANS = [
    ["a millisecond less than the time apart", HOUR_MS - 1, true],
    ["the whole time apart", HOUR_MS, false],
  ] as const;
  for (const [title, apartMs, isRevoked] of SPANS) {
    test(`${title} two calls ${isRevoked ? "count together" : "do not"}, whether they are seen at once or not`, async () => {
      for (const seenBetween of [false, true]) {
        const keyId = await issue({ cap_hits: 2, within: "1h" }, `run/${seenBetween}`);
        await hit(keyId);
        if (seenBetween) await look();
        installed.clock.nowMs += apartMs;
        await hit(keyId);
        await look();
        expect((await reasonOf(keyId)) !== null).toBe(isRevoked);
      }
    });
  }

  test("trips by what was within the time of each other, however late the rows are looked at", async () => {
    const keyId = await issue({ cap_hits: 3, within: "1m" });
    await hit(keyId, 3);
    installed.clock.nowMs += 2 * HOUR_MS;
    await hit(keyId);
    await look();
    expect(await reasonOf(keyId)).toContain("3 cap_hits within 1m");
  });

  test("are refusals by caps alone, and those of this key", async () => {
    const keyId = await issue({ cap_hits: 1, within: "1h" });
    await hit(await issue(undefined, "run/2"), 5);
    await recordCall(installed, { keyId, refusal: "rate_exceeded" });
    await recordCall(installed, { keyId, refusal: "endpoint_denied" });
    await recordCall(installed, { keyId, end: { to: "settled" } });
    await look();
    expect(await reasonOf(keyId)).toBeNull();
  });

  test("of several rules the first that trips gives the reason", async () => {
    const keyId = await issue([
      { cap_hits: 50, within: "24h" },
      { cap_hits: 2, within: "1m" },
    ]);
    await hit(keyId, 2);
    await look();
    expect(await reasonOf(keyId)).toContain("2 cap_hits within 1m");
  });
});

describe("vendor_errors", () => {
  const ENDINGS: readonly (readonly [string, Partial<CallEnd>, "settled" | "released" | "unresolved", boolean])[] = [
    ["an answer 400", { httpStatus: 400 }, "released", true],
    ["an answer 500", { httpStatus: 500 }, "unresolved", true],
    ["an answer 200", { httpStatus: 200 }, "settled", false],
    ["a redirect", { httpStatus: 302 }, "settled", false],
    ["no answer in time", { httpStatus: null, verdict: "upstream_timeout", flag: "timeout" }, "unresolved", true],
    ["a vendor that is not reached", { httpStatus: null, verdict: "upstream_unreachable" }, "released", true],
    [
      "a call that Keybrake aborted",
      { httpStatus: null, verdict: "upstream_timeout", flag: "aborted" },
      "unresolved",
      false,
    ],
    [
      "a call whose server died",
      { httpStatus: null, verdict: "upstream_timeout", flag: "owner_gone" },
      "unresolved",
      false,
    ],
    ["an error from the record", { httpStatus: 402, flag: "replays:call_1" }, "settled", false],
  ];
  for (const [title, end, to, counts] of ENDINGS) {
    test(`${title} ${counts ? "counts" : "does not count"}`, async () => {
      const keyId = await issue({ vendor_errors: 1, within: "5m" });
      await sent(keyId, end, to);
      await look();
      expect((await reasonOf(keyId)) !== null).toBe(counts);
    });
  }

  test("a refusal of Keybrake's own is no error of the vendor", async () => {
    const keyId = await issue({ vendor_errors: 1, within: "5m" });
    await hit(keyId, 3);
    await look();
    expect(await reasonOf(keyId)).toBeNull();
  });
});

describe("requests_over_baseline", () => {
  const rule = { requests_over_baseline: "5x" };

  /** So many calls of `keyId` in each of so many hours before this one. */
  async function history(keyId: string, hours: number, calls: number): Promise<void> {
    installed.clock.nowMs -= hours * HOUR_MS;
    for (let hour = 0; hour < hours; hour++, installed.clock.nowMs += HOUR_MS) {
      await recordCalls(installed, { keyId, refusal: "endpoint_denied" }, calls);
    }
    await look();
  }

  const CASES = [
    ["5 times the mean hour is not over it", 24, 20, 100, false],
    ["one call more is", 24, 20, 101, true],
    ["with 23 hours behind it no mean counts", 23, 20, 150, false],
    ["under 60 calls in the hour nothing trips, whatever the mean is", 24, 1, 59, false],
    ["60 calls are enough where the mean hour has one", 24, 1, 60, true],
  ] as const;
  for (const [title, hours, calls, now, isRevoked] of CASES) {
    test(`${title}: ${calls} calls in each of ${hours} hours, and then ${now}`, async () => {
      installed.clock.nowMs += 100 * HOUR_MS;
      const keyId = await issue(rule);
      await history(keyId, hours, calls);
      await recordCalls(installed, { keyId, refusal: "endpoint_denied" }, now);
      await look();
      const reason = await reasonOf(keyId);
      expect(reason !== null).toBe(isRevoked);
      if (reason) expect(reason).toContain(`${now} calls in an hour, the limit is 5x the ${calls}.00 of a mean hour`);
    });
  }

  test("the keys of one template have one baseline, so that a new key is measured by the others", async () => {
    installed.clock.nowMs += 100 * HOUR_MS;
    const one = (label: string) =>
      installed.control.issueKey({ template: "spike", agent_run_label: label, expires_in: "80d", policy: {} }, ADMIN);
    await Bun.write(
      `${installed.config.policiesDir}/spike.yaml`,
      `vendor: stripe\nallowed_endpoints: [POST /v1/payment_intents]\ndaily_usd_cap: 5\nauto_revoke: { requests_over_baseline: 5x }\nexpires_in: 90d\n`,
    );
    const keys = await Promise.all([1, 2, 3].map((number) => one(`run/${number}`)));
    for (const { id } of keys) await history(id, 8, 20);
    const fresh = await one("run/4");
    await recordCalls(installed, { keyId: fresh.id, refusal: "endpoint_denied" }, 101);
    await look();
    expect(await reasonOf(fresh.id)).toContain("the 20.00 of a mean hour of the template spike");
  });
});

test("calls after it are refused with the rule, and the reason is shown by the key", async () => {
  const keyId = await issue({ cap_hits: 1, within: "1h" });
  await hit(keyId);
  await look();
  await recordCall(installed, { keyId, exposureUsd: "1" });
  const { rows } = await installed.store.queryAudit({ keyId }, { limit: 10 });
  expect(rows.map(({ policyVerdict, verdictRule, state }) => [policyVerdict, verdictRule, state])).toEqual([
    ["cap_exceeded", "test", "refused"],
    ["key_revoked", "auto_revoke.cap_hits", "refused"],
  ]);
  const shown = await installed.control.showKey(keyId, ADMIN);
  expect(shown).toMatchObject({ status: "revoked", revoke_reason: await reasonOf(keyId) });
  const explained = await installed.control.explain({ key_id: keyId, method: "POST", path: "/v1/payment_intents" });
  expect(explained).toMatchObject({
    verdict: "key_revoked",
    rule: "auto_revoke.cap_hits",
    rule_place: { key_id: keyId },
  });
});

test("key, self and explain show what counts towards each rule", async () => {
  const keyId = await issue([{ cap_hits: 3, within: "1h" }, { requests_over_baseline: "5x" }]);
  await hit(keyId, 2);
  await look();
  const counted = [
    { rule: "cap_hits", limit: 3, within: "1h", counted: 2, baseline: null },
    { rule: "requests_over_baseline", limit: 5, within: null, counted: 2, baseline: null },
  ];
  const { tokenHash } = (await installed.store.getKey(keyId))!;
  expect((await installed.control.showKey(keyId, ADMIN)).auto_revoke).toEqual(counted);
  expect((await installed.control.self(tokenHash)).auto_revoke).toEqual(counted);
  const call = { method: "POST", path: "/v1/payment_intents", body: "amount=100&currency=usd" } as const;
  expect((await installed.control.explain({ key_id: keyId, ...call })).auto_revoke).toEqual(counted);
  installed.clock.nowMs += HOUR_MS;
  expect((await installed.control.showKey(keyId, ADMIN)).auto_revoke.map(({ counted }) => counted)).toEqual([0, 0]);
});

test("is told as key.auto_revoked with rule, limit and value, once, and not as key.revoked", async () => {
  const keyId = await issue({ cap_hits: 2, within: "1h" });
  const last = await hit(keyId, 2);
  const { store, clock } = installed;
  const alerts = {
    store,
    clock,
    targets: ["ops"],
    currencyRates: new Map(),
    sharedCaps: () => [],
    runCostMicros: undefined,
  };
  for (const _twice of [1, 2]) {
    await look();
    await lookOnce({ ...alerts, pause: async () => {} }, GOING_ON);
  }
  const events = (await store.listDeliveries(100))
    .map(({ event }) => event)
    .filter(({ type }) => type.startsWith("key."));
  expect(events).toMatchObject([
    {
      id: `key.auto_revoked:${keyId}`,
      type: "key.auto_revoked",
      data: { key_id: keyId, run_label: "run/1", rule: "cap_hits", limit: 2, within: "1h", value: 2, call_id: last },
    },
  ]);
});

test("needs no alert target, and a key that was revoked by hand stays so", async () => {
  const keyId = await issue({ cap_hits: 1, within: "1h" });
  await hit(keyId);
  await installed.control.revokeKeys({ ids: [keyId], reason: "by hand" }, ADMIN);
  await look();
  expect(await reasonOf(keyId)).toBe("by hand");
});

test("a look that is cut off before it is written is made again, and one that was written counts once", async () => {
  const keyId = await issue({ cap_hits: 4, within: "1h" });
  const { store } = installed;
  const failing: Store = Object.assign(Object.create(store), {
    finishRevokeSlice: () => Promise.reject(new Error("killed here")),
  });
  await hit(keyId, 2);
  await look({ store: failing }).catch(() => {});
  await look();
  await look();
  await hit(keyId);
  await look();
  expect(await reasonOf(keyId)).toBeNull();
  await hit(keyId);
  await look();
  expect(await reasonOf(keyId)).toContain("4 cap_hits");
});

test("of two servers that have read the same rows one counts them", async () => {
  const keyId = await issue({ cap_hits: 3, within: "1h" });
  await hit(keyId, 2);
  const other = openSqliteStore(`${installed.dataDir}/keybrake.db`, installed.clock.nowMs);
  // The second finishes what it read only when the first has finished the same rows.
  const late: Store = Object.assign(Object.create(other), {
    finishRevokeSlice: async (...given: Parameters<Store["finishRevokeSlice"]>) => {
      await look();
      return other.finishRevokeSlice(...given);
    },
  });
  await look({ store: late });
  expect((await installed.store.alertTallies("cap_hits", keyId, 0)).map(({ amount }) => amount)).toEqual([2n]);
  expect(await reasonOf(keyId)).toBeNull();
  await other.close();
});

test("rows from before anybody had rules are left out, and all from the first such key on are looked at", async () => {
  const plain = await issue(undefined, "run/plain");
  await hit(plain, 20);
  await look({ rowsPerSlice: 3 });
  const keyId = await issue({ cap_hits: 20, within: "1h" });
  await hit(keyId, 20);
  await look({ rowsPerSlice: 3 });
  expect(await reasonOf(keyId)).toContain("20 cap_hits");
});
