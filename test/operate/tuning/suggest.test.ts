import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { RecordedRow } from "../../../src/operate/tuning/recorded-calls.ts";
import { replayPolicy } from "../../../src/operate/tuning/replay.ts";
import { suggestPolicy } from "../../../src/operate/tuning/suggest.ts";
import { lintTemplate } from "../../../src/policy/lint.ts";
import { loadTemplate } from "../../../src/policy/load.ts";
import { ADMIN, type Installed, install, problemOf, START_MS } from "../installed.ts";
import { type RecordedCall, recordCall } from "../record-call.ts";
import { recordedRow } from "./recorded-row.ts";

let installed: Installed;
let keyId: string;
beforeEach(async () => {
  installed = await install();
  const policy = { vendor: "stripe", allowed_endpoints: ["* /**"], total_usd_cap: 1_000_000 };
  keyId = (await installed.control.issueKey({ policy, agent_run_label: "run/1", expires_in: "30d" }, ADMIN)).id;
});
afterEach(() => installed.close());

function record(usd: string, call: Partial<RecordedCall> = {}): Promise<string> {
  installed.clock.nowMs += 60_000;
  return recordCall(installed, { keyId, exposureUsd: usd, end: { to: "settled", costUsd: usd }, ...call });
}

const refund = { kind: "refund", facts: { path: "/v1/refunds", endpoint: "/v1/refunds", customerScopeId: "cus_2" } };

describe("a suggested template", () => {
  test("has each field that the run gives a reason for, lints clean, and allows what the run did", async () => {
    await record("29.99", { facts: { customerScopeId: "cus_1" } });
    await record("10", refund);
    const path = "/v1/customers/cus_1";
    await record("0", { facts: { method: "GET", path, endpoint: "/v1/customers/*", customerScopeId: "cus_1" } });
    await record("0", { refusal: "endpoint_denied", facts: { path: "/v1/payouts", endpoint: "/v1/payouts" } });
    await record("5", { facts: { customerScopeId: "cus_1" }, end: { to: "unresolved" } });
    const view = await installed.control.suggestPolicy({ run: "run/1", margin_percent: 20 });
    expect(view).toMatchObject({ run: "run/1", vendor: "stripe", calls: 4 });
    expect(loadTemplate(view.source, "suggested.yaml").fields).toMatchObject({
      vendor: "stripe",
      daily_usd_cap: "53.99",
      max_amount_per_call_usd: "35.99",
      caps: { charge: { daily_usd: "41.99" }, refund: { daily_usd: "12.00" } },
      customers: ["cus_1", "cus_2"],
      allowed_endpoints: ["POST /v1/payment_intents", "POST /v1/refunds", "GET /v1/customers/*"],
      expires_in: "5m",
    });
    expect(view.source).toContain("# Refused calls are not allowed for: endpoint_denied 1.");
    expect(view.source).toContain("1 call of unknown outcome (in flight or unresolved) counted in full: $5.00.");
    expect(view.source).toContain("- POST /v1/payment_intents # 2 calls");
    expect(lintTemplate(view.source, "suggested.yaml")).toEqual([]);
    const source = { file_name: "suggested.yaml", text: view.source };
    const replayed = await installed.control.replayPolicy({ source, filter: { run: "run/1" } });
    expect(replayed).toMatchObject({ allowed: { calls: 4 }, refused: { calls: 0 }, refused_then: { would_pass: 0 } });
  });

  test("without a margin is so tight that a cent less would refuse", async () => {
    await record("29.99");
    await record("12.34");
    const { source: text } = await installed.control.suggestPolicy({ run: "run/1", margin_percent: 0 });
    for (const [from, to] of [
      ["daily_usd_cap: 42.33", "daily_usd_cap: 42.32"],
      ["max_amount_per_call_usd: 29.99", "max_amount_per_call_usd: 29.98"],
    ] as const) {
      expect(text).toContain(from);
      const source = { file_name: "less.yaml", text: text.replace(from, to) };
      const view = await installed.control.replayPolicy({ source, filter: {} });
      expect(view.refused.calls).toBe(1);
    }
  });

  test("of a run that cost nothing allows nothing that costs", async () => {
    await record("0", { facts: { method: "GET", path: "/v1/balance", endpoint: "/v1/balance" } });
    const { source } = await installed.control.suggestPolicy({ run: "run/1", margin_percent: 20 });
    expect(loadTemplate(source, "a.yaml").fields).toMatchObject({ daily_usd_cap: "0", max_amount_per_call_usd: "0" });
    expect(source).not.toContain("customers:");
    expect(lintTemplate(source, "a.yaml")).toEqual([]);
  });

  test("counts sends where the vendor's calls are sends", async () => {
    const policy = { vendor: "resend", allowed_endpoints: ["* /**"], total_usd_cap: 10 };
    const mail = (await installed.control.issueKey({ policy, agent_run_label: "mail", expires_in: "1d" }, ADMIN)).id;
    const facts = { vendor: "resend", path: "/emails", endpoint: "/emails" };
    for (const sends of [3, 4]) await record("0.001", { keyId: mail, kind: "email", sends, facts });
    const { source } = await installed.control.suggestPolicy({ run: "mail", margin_percent: 50 });
    expect(loadTemplate(source, "a.yaml").fields).toMatchObject({ daily_send_cap: "11", vendor: "resend" });
  });

  test("names no wildcard for a family, and says what it left out", async () => {
    await record("1");
    await record("0", { facts: { path: "/v1/apps/secrets", endpoint: "/v1/apps/secrets" } });
    const { source, calls } = await installed.control.suggestPolicy({ run: "run/1", margin_percent: 0 });
    expect(calls).toBe(1);
    expect(source).toContain("# Left out: POST /v1/apps/secrets (1 call): only the name of its whole family opens it");
    expect(loadTemplate(source, "a.yaml").fields["allowed_endpoints"]).toEqual(["POST /v1/payment_intents"]);
  });

  test.each([`a $${"{customers}"} b`, "line\nbreak: [", "\u2028\ue000#'\"", "x".repeat(200)])(
    "takes the label %p as words and nothing else",
    async (label) => {
      const store = storeOf([recordedRow(1, { exposureMicros: 1n })]);
      const options = { ...installed.options, store };
      const { source } = await suggestPolicy(options, { run: label, vendor: "stripe", margin_percent: 0 });
      expect(lintTemplate(source, "a.yaml")).toEqual([]);
      expect(Object.keys(loadTemplate(source, "a.yaml").fields).sort()).toEqual([
        "allowed_endpoints",
        "daily_usd_cap",
        "description",
        "expires_in",
        "max_amount_per_call_usd",
        "vendor",
      ]);
    },
  );

  test("needs a run that there is, with a call that was sent", async () => {
    const suggest = (request: { run: string; vendor?: string }) =>
      problemOf(() => installed.control.suggestPolicy({ margin_percent: 20, ...request }));
    expect((await suggest({ run: "nobody" })).message).toBe('there are no calls of run "nobody"');
    await record("5", { refusal: "cap_exceeded" });
    expect((await suggest({ run: "run/1" })).message).toContain(
      "made 1 calls, and none that a template can list was sent",
    );
    expect((await suggest({ run: "run/1", vendor: "strip" })).message).toContain("stripe");
  });

  test("is for several vendors where the run called several, with a cap over all of them", async () => {
    await record("5");
    await record("2", { facts: { vendor: "resend", path: "/emails", endpoint: "/emails" }, sends: 3, kind: "email" });
    const request = { run: "run/1", margin_percent: 0 };
    const { source, ...view } = await installed.control.suggestPolicy(request);
    expect(view).toEqual({ run: "run/1", vendor: null, vendors: ["stripe", "resend"], calls: 2 });
    expect(lintTemplate(source, "a.yaml")).toEqual([]);
    expect(loadTemplate(source, "a.yaml").fields).toMatchObject({
      daily_usd_cap_total: "7.00",
      vendors: {
        stripe: { daily_usd_cap: "5.00", allowed_endpoints: ["POST /v1/payment_intents"] },
        resend: { daily_usd_cap: "2.00", daily_send_cap: "3", allowed_endpoints: ["POST /emails"] },
      },
    });
    const replayed = await installed.control.replayPolicy({
      source: { file_name: "a.yaml", text: source },
      filter: { run: "run/1" },
    });
    expect(replayed).toMatchObject({ vendor: null, allowed: { calls: 2, usd: "7.00" }, refused: { calls: 0 } });
    expect((await installed.control.suggestPolicy({ ...request, vendor: "resend" })).vendor).toBe("resend");
  });
});

/** A store that has these rows and can do nothing else. */
function storeOf(rows: readonly RecordedRow[]): Installed["options"]["store"] {
  const reads = {
    queryAudit: async (_filter: object, { after = 0, limit }: { after?: number; limit: number }) => {
      return { rows: rows.filter(({ seq }) => seq > after).slice(0, limit), older: undefined };
    },
    chainRowsAt: async () => [],
  };
  return reads as Partial<Installed["options"]["store"]> as Installed["options"]["store"];
}

const CALLS = [
  ["POST", "/v1/payment_intents", "/v1/payment_intents"],
  ["POST", "/v1/payment_intents/pi_1/confirm", "/v1/payment_intents/*/confirm"],
  ["POST", "/v1/refunds", "/v1/refunds"],
  ["POST", "/v1/payouts", "/v1/payouts"],
  ["GET", "/v1/customers/cus_1", "/v1/customers/*"],
  ["HEAD", "/v1/customers/cus_1", "/v1/customers/*"],
  ["GET", "/v1/some(odd)'path:", "/v1/some(odd)'path:"],
] as const;

const money = fc.bigInt({ min: 0n, max: 500_000_000n });
const history = fc.array(
  fc.record({
    call: fc.constantFrom(...CALLS),
    key: fc.constantFrom("vk_1", "vk_2"),
    afterMs: fc.integer({ min: 0, max: 30_000_000 }),
    lastsMs: fc.integer({ min: 0, max: 60_000_000 }),
    exposure: money,
    cost: money,
    customer: fc.constantFrom(null, "cus_1", "cus_2"),
    state: fc.constantFrom("settled", "settled", "released", "unresolved", "held", "refused"),
    resolved: fc.constantFrom(undefined, "settled", "released"),
  }),
  { minLength: 1, maxLength: 40 },
);

/** Rows as the ledger would have written them; costs may be above what was reserved. */
function rowsOf(steps: typeof history extends fc.Arbitrary<infer Steps> ? Steps : never): RecordedRow[] {
  const rows: RecordedRow[] = [];
  let calledAt = START_MS;
  for (const { call, key, afterMs, lastsMs, exposure, cost, customer, state, resolved } of steps) {
    calledAt += afterMs;
    const [method, path, endpoint] = call;
    const isFree = method !== "POST";
    const row = recordedRow(rows.length + 1, {
      method,
      path,
      endpoint,
      calledAt,
      vaultKeyId: key,
      finishedAt: state === "held" ? null : calledAt + lastsMs,
      exposureMicros: isFree ? 0n : exposure,
      costMicros: state === "settled" ? (isFree ? 0n : cost) : state === "released" ? 0n : null,
      customerScopeId: customer,
      state: state as RecordedRow["state"],
    });
    rows.push(row);
    if (state !== "unresolved" || resolved === undefined) continue;
    const later = { ...row, id: `call_${rows.length + 1}`, seq: rows.length + 1, refersTo: row.id };
    rows.push({ ...later, state: resolved as RecordedRow["state"], costMicros: resolved === "settled" ? cost : 0n });
  }
  return rows;
}

test("what is suggested for a run refuses nothing of that run, whatever it did, and lints clean", async () => {
  await fc.assert(
    fc.asyncProperty(history, fc.integer({ min: 0, max: 100 }), async (steps, margin_percent) => {
      const rows = rowsOf(steps);
      fc.pre(rows.some(({ state }) => state !== "refused"));
      const options = { ...installed.options, store: storeOf(rows) };
      const { source: text } = await suggestPolicy(options, { run: "run/1", vendor: "stripe", margin_percent });
      expect(lintTemplate(text, "a.yaml")).toEqual([]);
      for (const entry of loadTemplate(text, "a.yaml").fields["allowed_endpoints"] as string[]) {
        expect(entry).not.toMatch(/^\*|\*\*/);
      }
      const view = await replayPolicy(options, { source: { file_name: "a.yaml", text }, filter: {} });
      expect(view.rules).toEqual([]);
      expect(view.allowed.calls).toBe(rows.filter(({ state, refersTo }) => state !== "refused" && !refersTo).length);
    }),
    { numRuns: 300 },
  );
});
