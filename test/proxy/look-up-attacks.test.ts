import { describe, expect, test } from "bun:test";
import { BATCHER_DEFAULTS, LedgerBatcher } from "../../src/ledger/batch.ts";
import type { LedgerEntry, LedgerResult } from "../../src/ledger/entry.ts";
import { DOUBLE_SECRETS, type TestKey } from "../harness/plane.ts";
import { holdOf } from "../ledger/entries.ts";
import {
  answer,
  CONFIRM,
  call,
  intent,
  issue,
  LOOK_UP,
  plane,
  rows,
  sent,
  useOneIntent,
  vendor,
} from "./one-intent.ts";

useOneIntent();

const UPDATE = "POST /v1/payment_intents/pi_1";

async function until(isThere: () => boolean): Promise<void> {
  while (!isThere()) await Bun.sleep(1);
}

function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((done) => {
    open = done;
  });
  return { opened, open };
}

describe("an amount that another call raises", () => {
  test("while it is looked up is not held at what it was before", async () => {
    const key = await issue({ daily_usd_cap: 50 });
    const other = await issue({ daily_usd_cap: 100 });
    const [reading, raising] = [gate(), gate()];
    let reads = 0;
    vendor.answer = async (request) => {
      if (request.method === "GET") {
        reads += 1;
        const given = answer(request);
        // The second read is the confirm's: it was made before the update got there, and its answer comes after that.
        if (reads === 2) await reading.opened;
        return given;
      }
      if (request.body === "amount=9000") await raising.opened;
      return answer(request);
    };
    const update = call(other, UPDATE, "amount=9000");
    await until(() => sent().includes(UPDATE));
    const confirm = call(key, CONFIRM);
    await until(() => reads === 2);
    raising.open();
    expect((await update).status).toBe(200);
    await plane.plane.ledger.drain();
    reading.open();
    const { status } = await confirm;
    expect((await rows(key)).map(({ flag }) => flag)).not.toContain("overrun");
    expect(status).toBe(429);
    expect(intent["amount_received"]).toBe(0);
  });
});

describe("a look-up ends", () => {
  for (const [what, given] of [
    ["without a body (204)", { status: 204, body: "" }],
    ["with nothing but a status (304)", { status: 304, body: "" }],
    ["with a body that stalls", { stalled: '{"id":' }],
  ] as const) {
    test(`in time where the vendor answers ${what}`, async () => {
      vendor.answer = () => given;
      const key = await issue();
      const { status } = await call(key, CONFIRM);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(sent()).toEqual([LOOK_UP]);
    }, 4_000);
  }

  test("while others keep the ledger busy without a pause", async () => {
    let batches = 0;
    const busy: { next?: () => void } = {};
    const store = {
      apply: async (entries: readonly LedgerEntry[]): Promise<readonly LedgerResult[]> => {
        batches += 1;
        // Somebody's next call comes in while this one is being written.
        if (batches < 200) busy.next!();
        await new Promise((done) => setImmediate(done));
        return entries.map(() => ({ admitted: true, charges: [], tightest: undefined }));
      },
    };
    const ledger = new LedgerBatcher(store, plane.clock, { ...BATCHER_DEFAULTS, onFailure: () => {} });
    busy.next = () => void ledger.hold(holdOf("vk_1", 1));
    busy.next();
    await new Promise((done) => setImmediate(done));
    await ledger.flush();
    expect(batches).toBeLessThan(10);
    await ledger.drain();
  });
});

describe("a look-up", () => {
  const LONG = "x".repeat(300);
  const AIMED: readonly (readonly [endpoint: string, form: string, headers?: Record<string, string>])[] = [
    ["POST /v1/refunds", "charge=ch_1%2F..%2F..%2Fbalance"],
    ["POST /v1/refunds", "charge=ch_1%3Fexpand[]%3Dcustomer"],
    ["POST /v1/refunds", "charge=ch_1%23"],
    ["POST /v1/refunds", "charge=ch_1%252Fcapture"],
    ["POST /v1/refunds", "charge=.."],
    ["POST /v1/refunds", "charge="],
    ["POST /v1/refunds", "payment_intent=pi_1%0D%0Ahost:+evil.example"],
    ["POST /v1/refunds", "payment_intent=pi_%EF%BC%8F1"],
    ["POST /v1/refunds", `charge=${LONG}`],
    ["POST /v1/refunds", "charge[]=ch_1"],
    ["POST /v1/refunds?charge=ch_2", "charge=ch_1"],
    ["POST /v1/refunds?payment_intent=pi_1", "charge=ch_1"],
    ["POST /v1/transfers", "source_transaction=ch_1%2Fcapture&destination=acct_1"],
    ["POST /v1/terminal/readers/tmr_1/process_payment_intent", "payment_intent=pi_1%2Fconfirm"],
    ["POST /v1/invoiceitems", "invoice=in_1%2Fpay&amount=5&currency=usd"],
    ["POST /v1/invoices", "from_invoice[invoice]=in_1%2Fpay&from_invoice[action]=revision"],
    ["POST /v1/invoices", "customer=cus_1%26pending%3Dfalse"],
    ["POST /v1/subscription_items", "subscription=sub_1%3Fx&price=price_1"],
    ["POST /v1/subscriptions", "customer=cus_1&items[0][price]=..%2Fcharges%2Fch_1"],
    ["POST /v1/subscription_schedules", "from_subscription=sub_1%2F.."],
    ["POST /v1/checkout/sessions", "mode=payment&line_items[0][price]=price_1%3Fx&line_items[0][quantity]=1"],
    ["POST /v1/payment_intents/pi_1%2Fconfirm/confirm", ""],
    ["POST /v1/payment_intents/pi_1%40x/confirm", ""],
    [CONFIRM, "", { "stripe-account": "acct_2" }],
    [CONFIRM, "", { "stripe-context": "acct_2" }],
    [CONFIRM, "on_behalf_of=acct_2"],
  ];
  for (const [endpoint, form, headers] of AIMED) {
    const shown = `${endpoint} ${form}`.slice(0, 90);
    test(`is not made for what could aim it elsewhere: ${shown} ${Object.keys(headers ?? {})}`, async () => {
      const response = await call(await issue({ merchants: ["acct_1"] }), endpoint, form, headers);
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(sent()).toEqual([]);
    });
  }

  test("goes to the account that the call is for, and never has what the call alone may have", async () => {
    const headers = { "stripe-account": "acct_1", "idempotency-key": "k1", cookie: "a=b", "x-forwarded-host": "evil" };
    expect((await call(await issue({ merchants: ["acct_1"] }), CONFIRM, "", headers)).status).toBe(200);
    const [look, sentCall] = vendor.requests;
    expect(look!.headers["stripe-account"]).toBe("acct_1");
    expect(sentCall!.headers["stripe-account"]).toBe("acct_1");
    expect(Object.keys(look!.headers)).not.toContain("idempotency-key");
    expect(look!.raw.toString()).not.toMatch(/cookie|forwarded|content-type|content-length: [1-9]/i);
  });

  const STOPS: readonly (readonly [string, (key: TestKey) => Promise<unknown>, () => Promise<unknown>])[] = [
    [
      "a revoke",
      (key) => plane.store.revokeKeys({ ids: [key.id] }, "stop", plane.clock.now()),
      () => Promise.resolve(),
    ],
    [
      "a brake",
      () => {
        const brake = { id: "br_1", vendor: "stripe", labelPrefix: null, reason: null, engagedAt: plane.clock.now() };
        return plane.store.engageBrake(brake);
      },
      () => plane.store.releaseBrake("stripe", null, plane.clock.now()),
    ],
    ["a freeze", () => plane.store.freeze("restored", plane.clock.now()), () => plane.store.thaw()],
  ];
  for (const [what, stop, resume] of STOPS) {
    test(`that is under way when ${what} comes is the last that is sent`, async () => {
      const key = await issue();
      const reading = gate();
      vendor.answer = async (request) => {
        await reading.opened;
        return answer(request);
      };
      const confirm = call(key, CONFIRM);
      await until(() => sent().length === 1);
      await stop(key);
      reading.open();
      expect((await confirm).status).toBeGreaterThanOrEqual(400);
      expect(sent()).toEqual([LOOK_UP]);
      await resume();
      expect(await rows(key)).toMatchObject([{ state: "refused" }]);
    });
  }

  test("whose answer has the secret in it gives none of it away", async () => {
    const body = JSON.stringify({ error: { message: `Invalid key ${DOUBLE_SECRETS.stripe}` } });
    for (const status of [401, 404, 500, 200]) {
      vendor.answer = () => ({ status, body, headers: { "request-id": DOUBLE_SECRETS.stripe } });
      const key = await issue();
      const response = await call(key, CONFIRM);
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(JSON.stringify([...response.headers]) + (await response.text())).not.toContain(DOUBLE_SECRETS.stripe);
      expect(JSON.stringify(await rows(key), (_, value) => `${value}`)).not.toContain(DOUBLE_SECRETS.stripe);
    }
    expect(plane.logged.join("")).not.toContain(DOUBLE_SECRETS.stripe);
  });
});

test("an answer that shows an object is read whole, however large it is and whatever was held", async () => {
  vendor.answer = () => ({ status: 200, body: JSON.stringify({ ...intent, metadata: { note: "x".repeat(300_000) } }) });
  const key = await issue();
  expect((await call(key, UPDATE, "description=more")).status).toBe(200);
  expect(await rows(key)).toMatchObject([{ state: "settled", costMicros: 0n, flag: null }]);
  const name = "stripe /v1/payment_intents/pi_1";
  const { object } = await plane.store.standing(key.id, name, plane.clock.now());
  expect(object?.remembered).toContain('"amount":2000');
});

describe("a repeat that finds out what became of a call", () => {
  const KEYED = { "idempotency-key": "order-1" };
  /** What the vendor has of an object before and after the call, and what it says to the call. */
  const CASES: readonly (readonly [
    what: string,
    endpoint: string,
    body: string,
    before: Record<string, unknown>,
    after: Record<string, unknown>,
    said?: Record<string, unknown>,
  ])[] = [
    [
      "captured what was authorised elsewhere",
      "POST /v1/payment_intents/pi_1/capture",
      "",
      { status: "requires_capture", amount_capturable: 2000 },
      { status: "succeeded", amount_received: 2000 },
    ],
    [
      "raised what was authorised elsewhere",
      "POST /v1/payment_intents/pi_1/increment_authorization",
      "amount=4000",
      { status: "requires_capture", amount_capturable: 2000 },
      { status: "requires_capture", amount: 4000, amount_capturable: 4000 },
    ],
    [
      "paid an invoice",
      "POST /v1/invoices/in_1/pay",
      "",
      { object: "invoice", id: "in_1", status: "open", amount_remaining: 2000, amount_due: 2000, amount_paid: 0 },
      { object: "invoice", id: "in_1", status: "paid", amount_remaining: 0, amount_due: 2000, amount_paid: 2000 },
    ],
    [
      "gave an invoice up",
      "POST /v1/invoices/in_1/void",
      "",
      { object: "invoice", id: "in_1", status: "open", amount_remaining: 2000, amount_due: 2000, amount_paid: 0 },
      { object: "invoice", id: "in_1", status: "void", amount_remaining: 2000, amount_due: 2000, amount_paid: 0 },
    ],
    [
      "reversed what was left of a transfer",
      "POST /v1/transfers/tr_1/reversals",
      "",
      { object: "transfer", id: "tr_1", amount: 2000, amount_reversed: 0 },
      { object: "transfer", id: "tr_1", amount: 2000, amount_reversed: 2000 },
      { object: "transfer_reversal", id: "trr_1", amount: 2000, currency: "usd" },
    ],
  ];
  for (const [what, endpoint, body, before, after, said] of CASES) {
    test(`that ${what} counts what was held for it, although nothing is left to be taken`, async () => {
      Object.assign(intent, before);
      let posts = 0;
      vendor.answer = ({ method }) => {
        if (method === "GET") return { status: 200, body: JSON.stringify(intent) };
        posts += 1;
        Object.assign(intent, after);
        // It did what it was asked to, and its answer was lost.
        if (posts === 1) return "reset";
        const headers = { "idempotent-replayed": "true" };
        return { status: 200, headers, body: JSON.stringify(said ?? intent) };
      };
      const key = await issue();
      expect((await call(key, endpoint, body, KEYED)).status).toBe(504);
      await plane.plane.ledger.drain();
      expect((await call(key, endpoint, body, KEYED)).status).toBe(200);
      const found = (await rows(key)).find(({ refersTo }) => refersTo !== null);
      expect(found).toMatchObject({ costMicros: 20_000_000n, costSource: "lookup", flag: "looked_up" });
      const { counters, unresolvedMicros } = await plane.store.keySpend(key.id);
      expect(new Set(counters.map(({ used }) => used))).toEqual(new Set([20_000_000n]));
      expect(unresolvedMicros).toBe(0n);
      expect(await plane.store.checkCounters()).toEqual([]);
    });
  }

  test("that captured what Keybrake has counted when it was authorised counts it once", async () => {
    const authorised = { ...intent, status: "requires_capture", amount_capturable: 2000 };
    const captured = { ...intent, status: "succeeded", amount_received: 2000 };
    let captures = 0;
    vendor.answer = ({ target }) => {
      if (target === "/v1/payment_intents") return { status: 200, body: JSON.stringify(authorised) };
      captures += 1;
      const headers = { "idempotent-replayed": "true" };
      return captures === 1 ? "reset" : { status: 200, headers, body: JSON.stringify(captured) };
    };
    const key = await issue({ daily_usd_cap: 30 });
    const payment = "amount=2000&currency=usd&confirm=true&capture_method=manual";
    expect((await call(key, "POST /v1/payment_intents", payment)).status).toBe(200);
    await plane.plane.ledger.drain();
    const capture = "POST /v1/payment_intents/pi_1/capture";
    expect((await call(key, capture, "", KEYED)).status).toBe(504);
    await plane.plane.ledger.drain();
    expect((await call(key, capture, "", KEYED)).status).toBe(200);
    expect((await rows(key)).map(({ flag }) => flag)).not.toContain("overrun");
    expect((await plane.store.keySpend(key.id)).settledMicros).toBe(20_000_000n);
  });
});
