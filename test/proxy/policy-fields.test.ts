import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { autoRevokeOnce } from "../../src/alerts/auto-revoke-upkeep.ts";
import { parseUsd } from "../../src/core/money.ts";
import { POLICY_FIELD_NAMES } from "../../src/policy/schema.ts";
import { ACCOUNT_SID, startPlane, type TestKey, type TestPlane } from "../harness/plane.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { type RecordedRequest, startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

const DAY_MS = 86_400_000;

let vendor: VendorDouble;
let plane: TestPlane;

beforeAll(async () => {
  vendor = await startVendorDouble((request: RecordedRequest) => {
    if (request.target.includes("/Messages.json")) {
      return { status: 201, body: JSON.stringify({ sid: "SM1", status: "queued", num_segments: "1", price: null }) };
    }
    if (request.target === "/emails") return { status: 200, body: JSON.stringify({ id: "mail_1" }) };
    return request.method === "GET" ? { status: 200, body: '{"object":"list","data":[]}' } : succeededIntent(request);
  });
  const { origin } = vendor;
  const currencyRates = new Map([["eur", parseUsd("2")]]);
  plane = await startPlane({ origins: { stripe: origin, twilio: origin, resend: origin }, currencyRates });
});
afterAll(async () => {
  await plane.stop();
  await vendor.stop();
});

type Send = (key: TestKey) => Promise<Response>;

const FORM = { "content-type": "application/x-www-form-urlencoded" };

function stripe(method: string, path: string, body?: string, headers: Record<string, string> = {}): Send {
  return ({ token }) =>
    fetch(`${plane.url}/stripe${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : FORM), ...headers },
      ...(body === undefined ? {} : { body }),
    });
}

const CHARGE = "/v1/payment_intents";
function charge(usd: number, more = "", headers: Record<string, string> = {}): Send {
  const currency = more.includes("currency=") ? "" : "&currency=usd";
  return stripe(
    "POST",
    CHARGE,
    `amount=${usd * 100}${currency}&confirm=true&payment_method=pm_card_visa${more}`,
    headers,
  );
}
const read = stripe("GET", "/v1/customers");
const unknownCost = stripe("POST", "/v1/nobody_knows/this", "a=1");

function text(to: string, from = "+15005550006"): Send {
  const body = new URLSearchParams({ To: to, From: from, Body: "hi" });
  return ({ token }) =>
    fetch(`${plane.url}/twilio/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa(`${ACCOUNT_SID}:${token}`)}`, ...FORM },
      body,
    });
}

function mail(from: string, to: readonly string[], cc: readonly string[] = []): Send {
  return ({ token }) =>
    fetch(`${plane.url}/resend/emails`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ from, to, cc, subject: "s", text: "t" }),
    });
}

/** Lets time go by between two calls. */
const later =
  (durationMs: number): Send =>
  async () => {
    plane.clock.advance(durationMs);
    return new Response();
  };

/** What the server does beside calls. */
const lookBeside: Send = async () => {
  const { store, clock } = plane;
  await plane.plane.ledger.drain();
  const log = { info: () => {}, error: () => {} };
  await autoRevokeOnce({ store, clock, log, pause: async () => {} }, new AbortController().signal);
  return new Response();
};

type Outcome = "allowed" | "replayed" | "beside" | (string & {});
interface Row {
  readonly policy: Readonly<Record<string, unknown>>;
  /** In their order; the word is the refusal's code. */
  readonly calls: readonly (readonly [Outcome, Send])[];
  /** What the ledger has settled for the key after. */
  readonly usd?: string;
}

const OTHERS = { vendor: "twilio", allowed_endpoints: ["* /**"] };
const MAIL = { vendor: "resend", allowed_endpoints: ["* /**"] };

const ROWS: Readonly<Record<string, Row>> = {
  daily_usd_cap: {
    policy: { daily_usd_cap: 10 },
    calls: [
      ["allowed", charge(6)],
      ["cap_exceeded", charge(5)],
      ["allowed", charge(4)],
      ["cap_exceeded", charge(1)],
      ["beside", later(DAY_MS)],
      ["allowed", charge(10)],
    ],
    usd: "20",
  },
  cap_window: {
    policy: { daily_usd_cap: 10, cap_window: "rolling_24h" },
    calls: [
      ["allowed", charge(10)],
      ["beside", later(DAY_MS - 1)],
      ["cap_exceeded", charge(1)],
      ["beside", later(1)],
      ["allowed", charge(10)],
    ],
    usd: "20",
  },
  total_usd_cap: {
    policy: { total_usd_cap: 10 },
    calls: [
      ["allowed", charge(10)],
      ["beside", later(3 * DAY_MS)],
      ["cap_exceeded", charge(1)],
    ],
    usd: "10",
  },
  daily_cap: {
    policy: { daily_cap: { amount: 5, currency: "eur" } },
    calls: [
      ["allowed", charge(10)],
      ["cap_exceeded", charge(1)],
    ],
    usd: "10",
  },
  total_cap: {
    policy: { total_cap: "5 eur" },
    calls: [
      ["allowed", charge(10)],
      ["beside", later(DAY_MS)],
      ["cap_exceeded", charge(1)],
    ],
    usd: "10",
  },
  caps: {
    policy: { caps: { charge: { daily_usd: 5 }, payout: { daily_usd: 0 } } },
    calls: [
      ["allowed", charge(5)],
      ["cap_exceeded", charge(1)],
      ["cap_exceeded", stripe("POST", "/v1/payouts", "amount=100&currency=usd")],
    ],
    usd: "5",
  },
  max_amount_per_call_usd: {
    policy: { max_amount_per_call_usd: 5 },
    calls: [
      ["allowed", charge(5)],
      ["amount_denied", charge(6)],
    ],
    usd: "5",
  },
  on_unknown_cost: {
    policy: { on_unknown_cost: { reserve_usd: 5 }, daily_usd_cap: 7 },
    calls: [
      ["allowed", unknownCost],
      ["cap_exceeded", unknownCost],
    ],
    usd: "5",
  },
  allowed_endpoints: {
    policy: { allowed_endpoints: [`POST ${CHARGE}`, "GET /v1/customers/*"] },
    calls: [
      ["allowed", charge(1)],
      ["allowed", stripe("GET", "/v1/customers/cus_1")],
      ["endpoint_denied", read],
      ["endpoint_denied", stripe("POST", "/v1/refunds", "charge=ch_1")],
    ],
    usd: "1",
  },
  denied_endpoints: {
    policy: { denied_endpoints: ["GET /v1/customers"] },
    calls: [
      ["endpoint_denied", read],
      ["allowed", stripe("GET", "/v1/customers/cus_1")],
    ],
  },
  parameters: {
    policy: {
      parameters: { "metadata[order_id]": { required: true, matches: "ord_[0-9]+" }, description: { forbidden: true } },
    },
    calls: [
      ["allowed", charge(1, "&metadata[order_id]=ord_7")],
      ["parameter_denied", charge(1)],
      ["parameter_denied", charge(1, "&metadata[order_id]=x")],
      ["parameter_denied", charge(1, "&metadata[order_id]=ord_7&description=x")],
    ],
    usd: "1",
  },
  customers: {
    policy: { customers: ["cus_1"] },
    calls: [
      ["allowed", charge(1, "&customer=cus_1")],
      ["scope_denied", charge(1, "&customer=cus_2")],
      ["scope_denied", charge(1)],
      ["scope_denied", stripe("GET", "/v1/customers/cus_2")],
    ],
    usd: "1",
  },
  merchants: {
    policy: { merchants: ["acct_1"] },
    calls: [
      ["allowed", charge(1, "", { "stripe-account": "acct_1" })],
      ["scope_denied", charge(1, "", { "stripe-account": "acct_2" })],
      ["scope_denied", charge(1, "&transfer_data[destination]=acct_2")],
    ],
    usd: "1",
  },
  to_prefixes: {
    policy: { ...OTHERS, to_prefixes: ["+1"] },
    calls: [
      ["allowed", text("+15005550001")],
      ["scope_denied", text("+447700900000")],
    ],
  },
  from_numbers: {
    policy: { ...OTHERS, from_numbers: ["+15005550006"] },
    calls: [
      ["allowed", text("+15005550001")],
      ["scope_denied", text("+15005550001", "+15005550007")],
    ],
  },
  from_domains: {
    policy: { ...MAIL, from_domains: ["example.com"] },
    calls: [
      ["allowed", mail("a@example.com", ["b@example.org"])],
      ["scope_denied", mail("a@example.org", ["b@example.org"])],
    ],
  },
  to_domains: {
    policy: { ...MAIL, to_domains: ["example.org"] },
    calls: [
      ["allowed", mail("a@example.com", ["b@example.org"])],
      ["scope_denied", mail("a@example.com", ["b@example.org"], ["c@example.net"])],
    ],
  },
  daily_send_cap: {
    policy: { ...MAIL, daily_send_cap: 3 },
    calls: [
      ["allowed", mail("a@example.com", ["b@example.org", "c@example.org"])],
      ["cap_exceeded", mail("a@example.com", ["b@example.org"], ["c@example.org"])],
      ["allowed", mail("a@example.com", ["b@example.org"])],
    ],
  },
  max_write_operations: {
    policy: { max_write_operations: 1 },
    calls: [
      ["allowed", charge(1)],
      ["cap_exceeded", charge(1)],
      ["allowed", read],
    ],
    usd: "1",
  },
  requests_per_minute: {
    policy: { requests_per_minute: 2 },
    calls: [
      ["allowed", read],
      ["allowed", charge(1)],
      ["rate_exceeded", read],
      ["beside", later(60_000)],
      ["allowed", read],
    ],
    usd: "1",
  },
  requests_per_hour: {
    policy: { requests_per_hour: 1 },
    calls: [
      ["allowed", read],
      ["beside", later(3_599_999)],
      ["rate_exceeded", read],
      ["beside", later(1)],
      ["allowed", read],
    ],
  },
  idempotency: {
    policy: { idempotency: "replay" },
    calls: [
      ["allowed", charge(3, "", { "idempotency-key": "k1" })],
      ["replayed", charge(3, "", { "idempotency-key": "k1" })],
      ["idempotency_mismatch", charge(4, "", { "idempotency-key": "k1" })],
    ],
    usd: "3",
  },
  dedup_window: {
    policy: { dedup_window: "10m" },
    calls: [
      ["allowed", charge(3)],
      ["replayed", charge(3)],
      ["allowed", charge(4)],
      ["beside", later(600_000)],
      ["allowed", charge(3)],
    ],
    usd: "10",
  },
  allowed_currencies: {
    policy: { allowed_currencies: ["eur"] },
    calls: [
      ["allowed", charge(1, "&currency=eur")],
      ["currency_denied", charge(1)],
    ],
    usd: "2",
  },
  auto_revoke: {
    policy: { daily_usd_cap: 1, auto_revoke: { cap_hits: 2, within: "1h" } },
    calls: [
      ["cap_exceeded", charge(2)],
      ["beside", lookBeside],
      ["allowed", charge(1)],
      ["cap_exceeded", charge(2)],
      ["beside", lookBeside],
      ["key_revoked", read],
    ],
    usd: "1",
  },
  expires_in: {
    policy: { expires_in: "1h" },
    calls: [
      ["allowed", read],
      ["beside", later(3_600_000)],
      ["key_expired", read],
    ],
  },
};

async function outcomeOf(response: Response): Promise<Outcome> {
  if (response.headers.get("x-keybrake-replayed") === "true") return "replayed";
  if (response.ok) return "allowed";
  return ((await response.json()) as { keybrake: { code: string } }).keybrake.code;
}

describe("a policy field", () => {
  for (const [field, { policy, calls, usd = "0" }] of Object.entries(ROWS)) {
    test(`${field}: what it allows is sent and counted, what it refuses is neither`, async () => {
      const expiresAt = plane.clock.now() + (field === "expires_in" ? 3_600_000 : 30 * DAY_MS);
      const key = await plane.issue(policy, { expiresAt });
      const before = vendor.requests.length;
      const outcomes: Outcome[] = [];
      for (const [expected, send] of calls) {
        const response = await send(key);
        outcomes.push(expected === "beside" ? expected : await outcomeOf(response));
      }
      expect(outcomes).toEqual(calls.map(([outcome]) => outcome));
      expect(vendor.requests.length - before).toBe(outcomes.filter((outcome) => outcome === "allowed").length);
      await plane.plane.ledger.drain();
      const { rows } = await plane.store.queryAudit({ keyId: key.id }, { limit: 50 });
      const words = outcomes.filter((outcome) => outcome !== "beside");
      expect(rows.map(({ policyVerdict }) => policyVerdict as string)).toEqual(
        words.map((word) => (word === "replayed" ? "allowed" : word)),
      );
      const spend = await plane.store.keySpend(key.id);
      const isPricedByStripe = !("vendor" in policy);
      if (isPricedByStripe)
        expect(spend).toMatchObject({ settledMicros: parseUsd(usd), heldMicros: 0n, unresolvedMicros: 0n });
      expect(await plane.store.checkCounters()).toEqual([]);
    });
  }

  test("is in this table, or is no rule about a call of one vendor", () => {
    const elsewhere = ["vendor", "vendors", "description", "daily_usd_cap_total", "per_vendor_daily_caps"];
    expect([...POLICY_FIELD_NAMES].filter((name) => !elsewhere.includes(name)).toSorted()).toEqual(
      Object.keys(ROWS).toSorted(),
    );
  });
});
