import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { BATCHER_DEFAULTS, LedgerBatcher } from "../../src/ledger/batch.ts";
import { Connections } from "../../src/proxy/connections.ts";
import type { DataPlane } from "../../src/proxy/data-plane.ts";
import { InFlight } from "../../src/proxy/in-flight.ts";
import { KeyRing } from "../../src/proxy/key-ring.ts";
import { createListener, listenOn } from "../../src/proxy/listener.ts";
import { handleCall } from "../../src/proxy/pipeline.ts";
import { VENDORS } from "../../src/vendors/index.ts";
import { startPlane, type TestKey, type TestPlane } from "../harness/plane.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";
import { modelRuns, timeoutMs } from "./model-runs.ts";
import { ASKS_PAYER, type Mishap, StripeBank } from "./stripe-bank.ts";

/** One call of an agent that tries everything it can think of. Cents; objects by their number, as far as there are any. */
interface Step {
  readonly does:
    | "elsewhere"
    | "create"
    | "pay"
    | "authorise"
    | "update"
    | "confirm"
    | "capture"
    | "increment"
    | "cancel"
    | "agree"
    | "refuse"
    | "refund"
    | "payout"
    | "transfer"
    | "reverse";
  readonly cents: number;
  /** Whether the request says the amount where it may leave it out. */
  readonly says: boolean;
  readonly object: number;
  readonly mishap: Mishap;
  /** Sent a second time at once, with the same idempotency key, as an SDK repeats what has failed. */
  readonly repeats: boolean;
  /** The payer of what it makes has to agree by a way that does not pass through here. */
  readonly asksPayer: boolean;
  /** Which of the agent's two keys it has, and to which of two processes on one store it goes. */
  readonly key: number;
  readonly process: number;
  /** For how many turns of the event loop the agent waits, and the vendor keeps its answer to a look-up and to the call. */
  readonly pauses: readonly [agent: number, read: number, call: number];
}

/** Calls that are under way at once; the second process may be killed under them, and they are then repeated at the first. */
interface Wave {
  readonly steps: readonly Step[];
  readonly kills: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  does: fc.constantFrom<Step["does"][]>(
    "elsewhere",
    "create",
    "pay",
    "authorise",
    "update",
    "update",
    "confirm",
    "confirm",
    "capture",
    "increment",
    "cancel",
    "agree",
    "refuse",
    "refund",
    "payout",
    "transfer",
    "reverse",
  ),
  cents: fc.integer({ min: 1, max: 6_000 }),
  says: fc.boolean(),
  object: fc.nat(4),
  mishap: fc.oneof(
    { weight: 8, arbitrary: fc.constant<Mishap>("none") },
    { weight: 1, arbitrary: fc.constantFrom<Mishap[]>("declines", "fails_after", "cuts_off_after", "fails_before") },
  ),
  repeats: fc.boolean(),
  asksPayer: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  key: fc.nat(1),
  process: fc.nat(1),
  pauses: fc.tuple(fc.nat(80), fc.nat(40), fc.nat(40)),
});

const wave: fc.Arbitrary<Wave> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 5 }),
  kills: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});
const history = fc.array(wave, { minLength: 1, maxLength: 12 });

const CAPS_CENTS = [10_000, 6_000] as const;
/** After which the holds of a process that shows no sign of life are swept. */
const LEASE_MS = 60_000;

let vendor: VendorDouble;
let plane: TestPlane;
/** Another process on the same store. */
let second: DataPlane;
let secondServer: ReturnType<typeof createListener>;
let urls: readonly string[];
/** Whether the second process has been killed: what it would write any more is lost. */
let isKilled = false;

/** What a process has written before it is killed is there, and nothing after that. */
class MortalLedger extends LedgerBatcher {
  override resolve(request: Parameters<LedgerBatcher["resolve"]>[0]): ReturnType<LedgerBatcher["resolve"]> {
    return isKilled ? new Promise(() => {}) : super.resolve(request);
  }
}

beforeAll(async () => {
  vendor = await startVendorDouble(() => "reset");
  plane = await startPlane({ origins: { stripe: vendor.origin }, limits: { upstreamTimeoutMs: 2_000 } });
  const { store, clock } = plane;
  second = {
    ...plane.plane,
    ledger: new MortalLedger(store, clock, { ...BATCHER_DEFAULTS, onFailure: () => {} }),
    keys: new KeyRing(store, new Map()),
    inFlight: new InFlight(),
    owner: "test:2",
  };
  const names = new Set(VENDORS.map(({ name }) => name));
  const { bodyBytesMax } = second.limits;
  const onCall = (call: Parameters<typeof handleCall>[1]) => handleCall(second, call, names);
  const listens = { clock, log: second.log, connections: new Connections(1_000), bodyTimeoutMs: 5_000, onCall };
  secondServer = createListener({ ...listens, usualBodyBytesMax: bodyBytesMax, bodyBytesMax: () => bodyBytesMax });
  urls = [plane.url, `http://127.0.0.1:${await listenOn(secondServer, "127.0.0.1", 0)}`];
});

afterAll(async () => {
  secondServer.closeAllConnections();
  await new Promise<void>((done) => secondServer.close(() => done()));
  await plane.stop();
  await vendor.stop();
});

/** The path and form of a call; undefined for what happens without one. */
function requestOf({ does, cents, says, object, asksPayer }: Step, bank: StripeBank): Request | undefined {
  const intents = [...bank.intents.keys()];
  const intent = `/payment_intents/${intents[object % Math.max(1, intents.length)] ?? "pi_none"}`;
  const transfers = bank.transferIds;
  const transfer = transfers[object % Math.max(1, transfers.length)] ?? "tr_none";
  const amount = (name: string) => (says ? `${name}=${cents}` : "");
  const payment = `amount=${cents}&currency=usd&payment_method=${asksPayer ? ASKS_PAYER : "pm_card_visa"}`;
  switch (does) {
    case "elsewhere":
      bank.makeElsewhere(cents, says);
      return undefined;
    case "create":
      return ["/payment_intents", `${payment}${says ? "&capture_method=manual" : ""}`];
    case "pay":
      return ["/payment_intents", `${payment}&confirm=true`];
    case "authorise":
      return ["/payment_intents", `${payment}&confirm=true&capture_method=manual`];
    case "update":
      return [intent, says ? `amount=${cents}` : "description=more"];
    case "confirm":
      return [`${intent}/confirm`, ""];
    case "capture":
      return [`${intent}/capture`, amount("amount_to_capture")];
    case "increment":
      return [`${intent}/increment_authorization`, `amount=${cents}`];
    case "cancel":
      return [`${intent}/cancel`, ""];
    case "agree":
    case "refuse":
      bank.payerAnswers(intent.split("/")[2]!, does === "agree");
      return undefined;
    case "refund":
      return ["/refunds", [`payment_intent=${intent.split("/")[2]}`, amount("amount")].filter(Boolean).join("&")];
    case "payout":
      return ["/payouts", `amount=${cents}&currency=usd`];
    case "transfer":
      return ["/transfers", `amount=${cents}&currency=usd&destination=acct_1`];
    case "reverse":
      return [`/transfers/${transfer}/reversals`, amount("amount")];
  }
}

type Request = readonly [path: string, form: string];

interface Sent {
  readonly step: Step;
  readonly request: Request;
  readonly key: TestKey;
  readonly idempotencyKey: string;
}

async function send({ key, request, idempotencyKey }: Sent, process: number): Promise<number> {
  const [path, form] = request;
  const response = await fetch(`${urls[process]}/stripe/v1${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key.token}`,
      "content-type": "application/x-www-form-urlencoded",
      "idempotency-key": idempotencyKey,
    },
    body: form,
  });
  await response.arrayBuffer();
  return response.status;
}

async function pause(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((done) => setImmediate(done));
}

/** Plays the history and compares the vendor's own books with the ledger's after every wave. */
async function play(waves: Wave[]): Promise<void> {
  const bank = new StripeBank();
  const mishaps = new Map<string, Mishap>();
  let pauses: Step["pauses"][] = [];
  vendor.answer = async (request, index) => {
    const path = `${request.target} ${request.body}`;
    const mishap = request.method === "GET" ? "none" : (mishaps.get(path) ?? "none");
    // The repeat meets a vendor that is well again.
    mishaps.delete(path);
    const [, read, call] = pauses[index % Math.max(1, pauses.length)] ?? [0, 0, 0];
    // A read says how things were when it was asked; a call may get there late.
    if (request.method === "POST") await pause(call);
    const answer = bank.handle(request, mishap);
    if (request.method === "GET") await pause(read);
    return answer;
  };
  const keys = await Promise.all(
    CAPS_CENTS.map((cents) =>
      plane.issue(
        { total_usd_cap: cents / 100, merchants: ["acct_1"] },
        { expiresAt: plane.clock.now() + 30 * 86_400_000 },
      ),
    ),
  );
  let isUnseen = false;
  for (const { steps, kills } of waves) {
    isUnseen ||= kills || steps.some(({ mishap }) => mishap !== "none" && mishap !== "declines");
    const calls = steps.flatMap((one): Sent[] => {
      const request = requestOf(one, bank);
      return request ? [{ step: one, request, key: keys[one.key]!, idempotencyKey: crypto.randomUUID() }] : [];
    });
    pauses = steps.map((one) => one.pauses);
    for (const { step: one, request } of calls) mishaps.set(`/v1${request[0]} ${request[1]}`, one.mishap);
    isKilled = kills;
    await Promise.all(
      calls.map(async (call) => {
        await pause(call.step.pauses[0]);
        const status = await send(call, call.step.process);
        if (kills && call.step.process === 1) return;
        if (call.step.repeats || status >= 500) await send(call, call.step.process);
      }),
    );
    isKilled = false;
    if (kills) await afterKill(calls.filter(({ step: one }) => one.process === 1));
    await compare(keys, bank, isUnseen);
  }
}

/** The process is gone: its holds are swept, and its clients repeat their calls at the other one. */
async function afterKill(calls: readonly Sent[]): Promise<void> {
  await Promise.all([plane.plane.ledger.drain(), second.ledger.drain()]);
  plane.clock.advance(LEASE_MS);
  await plane.store.sweepAbandonedHolds(plane.clock.now());
  for (const call of calls) if (call.step.repeats) await send(call, 0);
}

async function compare(keys: readonly TestKey[], bank: StripeBank, isUnseen: boolean): Promise<void> {
  await Promise.all([plane.plane.ledger.drain(), second.ledger.drain()]);
  const spends = await Promise.all(keys.map(({ id }) => plane.store.keySpend(id)));
  const sum = (name: "settledMicros" | "unresolvedMicros" | "heldMicros") =>
    spends.reduce((micros, spend) => micros + spend[name], 0n);
  const moved = BigInt(bank.movedCents) * 10_000n;
  expect(bank.movedCents).toBeLessThanOrEqual(CAPS_CENTS[0] + CAPS_CENTS[1]);
  for (const [index, spend] of spends.entries()) {
    expect(spend.settledMicros + spend.unresolvedMicros).toBeLessThanOrEqual(BigInt(CAPS_CENTS[index]!) * 10_000n);
  }
  expect(sum("heldMicros")).toBe(0n);
  // Nothing that moved is missing from the books; nothing is on them that did not move, but for outcomes nobody knows.
  expect(sum("settledMicros") + sum("unresolvedMicros")).toBeGreaterThanOrEqual(moved);
  // Of an object on which a call ended unseen nothing is remembered, and its later steps count in full.
  const most = isUnseen ? BigInt(bank.stepCents) * 10_000n : moved;
  expect(sum("settledMicros")).toBeLessThanOrEqual(most);
  for (const { id } of keys) {
    const { rows } = await plane.store.queryAudit({ keyId: id }, { limit: 200 });
    expect(rows.filter(({ flag }) => flag === "overrun" || flag === "cost_unreadable")).toEqual([]);
  }
  expect(await plane.store.checkCounters()).toEqual([]);
}

const runs = modelRuns<[Wave[]]>(25, 0.1);

test(
  "whatever an agent does with Stripe at once and in whatever order, what really moves there never passes the cap, and is what the ledger has settled",
  async () => {
    await fc.assert(fc.asyncProperty(history, play), runs);
  },
  4 * timeoutMs(runs),
);
