import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Stripe from "stripe";
import { freePort } from "../harness/free-port.ts";
import { type Bench, type IssuedKey, makeBench, type RunningKeybrake } from "../harness/keybrake.ts";
import { runSdk } from "../harness/sdk.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { ACCOUNT_SID, setVendor } from "../harness/vendor-account.ts";
import {
  type DoubleAnswer,
  type RecordedRequest,
  startVendorDouble,
  type VendorDouble,
} from "../harness/vendor-double.ts";

const SECRETS = {
  stripe: "sk_test_replay_real_secret_0123456789",
  twilio: "e2e0replay0real0auth0token0abcdef",
  resend: "re_replay_real_secret_0123456789",
};
type VendorName = keyof typeof SECRETS;

let bench: Bench;
const servers: RunningKeybrake[] = [];
const doubles = {} as Record<VendorName, VendorDouble>;
const sites = {} as Record<VendorName, Site>;

/** How the vendor's side of a call ends: `before` nothing was done, `after` it was done and the answer is lost. */
type Loss = { readonly at: "before" | "after"; readonly answer: DoubleAnswer };

/** What a vendor has done, with its memory of idempotency keys. */
class Site {
  readonly operations: string[] = [];
  readonly #stored = new Map<string, DoubleAnswer>();
  readonly #perform: (request: RecordedRequest) => DoubleAnswer;
  losses: Loss[] = [];

  constructor(perform: (request: RecordedRequest) => DoubleAnswer) {
    this.#perform = perform;
  }

  answer(request: RecordedRequest): DoubleAnswer {
    const loss = this.losses.shift();
    if (loss?.at === "before") return loss.answer;
    const key = request.headers["idempotency-key"];
    const known = key === undefined ? undefined : this.#stored.get(key);
    const answer = known ?? this.#perform(request);
    if (!known) this.operations.push(request.body);
    if (key !== undefined) this.#stored.set(key, answer);
    return loss?.answer ?? answer;
  }
}

const PERFORM: Record<VendorName, (request: RecordedRequest) => DoubleAnswer> = {
  stripe: succeededIntent,
  twilio: () => ({
    status: 201,
    body: JSON.stringify({ sid: `SM${"0".repeat(32)}`, status: "queued", num_segments: "1", price: null }),
  }),
  resend: () => ({ status: 200, body: '{"id":"email_double_1","more":"canary answer"}' }),
};

beforeAll(async () => {
  bench = await makeBench();
  mkdirSync(bench.dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(join(bench.dataDir, "keybrake.yaml"), "limits:\n  upstream_timeout: 1s\n", { mode: 0o600 });
  for (const name of Object.keys(SECRETS) as VendorName[]) {
    doubles[name] = await startVendorDouble((request) => sites[name].answer(request));
    await setVendor(bench, name, { origin: doubles[name].origin, secret: SECRETS[name] });
  }
  servers.push(await bench.serve(), await bench.serve([], await freePort()));
});

beforeEach(() => {
  for (const name of Object.keys(SECRETS) as VendorName[]) {
    sites[name] = new Site(PERFORM[name]);
    doubles[name].requests.length = 0;
  }
});

afterAll(async () => {
  await bench.stop();
  for (const double of Object.values(doubles)) await double.stop();
});

const ENDPOINTS: Record<VendorName, string> = {
  stripe: "POST /v1/payment_intents",
  twilio: "POST /2010-04-01/Accounts/*/Messages.json",
  resend: "POST /emails",
};

function issue(vendor: VendorName, ...more: string[]): Promise<IssuedKey> {
  const policy = ["--vendor", vendor, "--allowed-endpoints", ENDPOINTS[vendor], "--expires-in", "1h"];
  return bench.json<IssuedKey>(["key", "issue", ...policy, ...more]);
}

/** Of each row its state and flag, oldest first. */
async function rows(key: IssuedKey): Promise<string[]> {
  const found = await bench.json<Record<string, string | null>[]>(["audit", "--key", key.id, "--limit", "1000"]);
  return found.map((row) => [row["state"], row["flag"]?.replace(/call_\w+/, "first")].filter(Boolean).join(" "));
}

const CHARGE = { amount: 4000, currency: "usd", confirm: true, payment_method: "pm_card_visa" };
const LOSSES: readonly (readonly [string, Loss, string])[] = [
  ["is reset before it is done", { at: "before", answer: "reset" }, "unresolved broken"],
  ["is reset after it was done", { at: "after", answer: "reset" }, "unresolved broken"],
  ["times out after it was done", { at: "after", answer: "hang" }, "unresolved timeout"],
  ["ends in a 500 after it was done", { at: "after", answer: { status: 500, body: '{"error":{}}' } }, "unresolved"],
];

/**
 * In this process: stripe-node does not read the body of an answer after which it tries again, and Node then lives on for
 * as long as the server keeps that connection.
 */
function stripeAt(server: RunningKeybrake, key: IssuedKey, maxNetworkRetries = 2): Stripe {
  const { hostname, port } = new URL(server.url);
  return new Stripe(key.vault_key, { host: hostname, port: Number(port), protocol: "http", maxNetworkRetries });
}

describe("stripe-node's call that", () => {
  for (const [what, loss, lost] of LOSSES) {
    test(`${what} is one operation, under one hold that its retry's answer resolves`, async () => {
      const key = await issue("stripe", "--daily-usd-cap", "79");
      const stripe = stripeAt(servers[0]!, key);
      sites.stripe.losses = [loss];
      const create = () => stripe.paymentIntents.create(CHARGE, { idempotencyKey: "order-0" });
      // Where the SDK has tried again by itself, the agent's own second call is one repeat more.
      const intents = [await create().catch(() => undefined), await create()];
      expect(intents.at(-1)).toMatchObject({ status: "succeeded", amount: 4000 });
      expect(sites.stripe.operations).toHaveLength(1);
      expect(new Set(doubles.stripe.requests.map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
      expect((await rows(key)).slice(0, 3)).toEqual([lost, "settled looks_up:first", "settled looked_up"]);
      expect(await bench.cli(["doctor"])).toMatchObject({ code: 0 });
    });
  }

  test("ends in a 500 is tried again by the SDK itself, under the key that it made", async () => {
    const key = await issue("stripe", "--daily-usd-cap", "79");
    sites.stripe.losses = [{ at: "after", answer: { status: 500, body: '{"error":{}}' } }];
    expect(await stripeAt(servers[0]!, key).paymentIntents.create(CHARGE)).toMatchObject({ status: "succeeded" });
    expect(sites.stripe.operations).toHaveLength(1);
    expect(await rows(key)).toEqual(["unresolved", "settled looks_up:first", "settled looked_up"]);
  });

  test("is under way at one process gets its answer from there at another", async () => {
    const key = await issue("stripe", "--daily-usd-cap", "79");
    const create = (server: RunningKeybrake) =>
      stripeAt(server, key, 5).paymentIntents.create(CHARGE, { idempotencyKey: "order-1" });
    const [one, other] = await Promise.all(servers.map(create));
    expect(other!.id).toBe(one!.id);
    expect(sites.stripe.operations).toHaveLength(1);
    expect((await rows(key)).filter((row) => row === "settled")).toHaveLength(1);
  });
});

test("two processes that race with one key, 32 times, make one vendor call each time", async () => {
  const key = await issue("stripe", "--total-usd-cap", "1280");
  const send = (url: string, name: string) =>
    fetch(`${url}/stripe/v1/payment_intents`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${key.vault_key}`,
        "content-type": "application/x-www-form-urlencoded",
        "idempotency-key": name,
      },
      body: "amount=4000&currency=usd&confirm=true&payment_method=pm_card_visa",
    });
  // A call may find its repeat's record taken, answered, or be the first.
  for (let race = 0; race < 32; race++) {
    const runners = servers.flatMap(({ url }) => [url, url, url].map((each) => send(each, `race-${race}`)));
    const statuses = (await Promise.all(runners)).map(({ status }) => status);
    expect(statuses).toContain(200);
    for (const status of statuses) expect([200, 409]).toContain(status);
    expect(doubles.stripe.requests).toHaveLength(race + 1);
  }
  const states = await rows(key);
  expect(states.filter((state) => state === "settled")).toHaveLength(32);
  expect(states).toHaveLength(32 * 6);
  const last = await send(servers[1]!.url, "race-0");
  expect(last.headers.get("x-keybrake-replayed")).toBe("true");
  expect(await bench.cli(["doctor"])).toMatchObject({ code: 0 });
});

describe("twilio-node", () => {
  test("under a dedup_window sends a message once, though its answer was lost", async () => {
    const key = await issue("twilio", "--daily-send-cap", "5", "--dedup-window", "10m");
    sites.twilio.losses = [{ at: "after", answer: "reset" }];
    const call = ["messages.create", { to: "+14155550100", from: "+14155550199", body: "canary lost" }] as const;
    const other = ["messages.create", { to: "+14155550100", from: "+14155550199", body: "canary kept" }] as const;
    const results = await runSdk({
      sdk: "twilio",
      credentials: [ACCOUNT_SID, key.vault_key],
      url: servers[0]!.url,
      calls: [call, call, other, other],
    });
    expect(results.map(({ ok, status }) => (ok ? "sent" : status))).toEqual([504, 409, "sent", "sent"]);
    expect(results[1]!.message).toContain("keybrake resolve");
    expect(results[3]!.value!["sid"]).toBe(results[2]!.value!["sid"]);
    expect(sites.twilio.operations).toHaveLength(2);
    expect(await rows(key)).toEqual(["unresolved broken", "refused", "settled", "settled replays:first"]);
  });
});

describe("resend-node", () => {
  const mail = { from: "a@example.com", to: "b@example.org", subject: "canary subject", text: "canary text" };

  test("with an idempotencyKey sends a mail once, though its answer was lost", async () => {
    const key = await issue("resend", "--daily-send-cap", "2");
    sites.resend.losses = [{ at: "after", answer: "reset" }];
    const once = ["emails.send", mail, { idempotencyKey: "canary-mail-1" }] as const;
    const mismatch = ["emails.send", { ...mail, text: "b" }, { idempotencyKey: "canary-mail-1" }] as const;
    const results = await runSdk({
      sdk: "resend",
      key: key.vault_key,
      url: servers[0]!.url,
      calls: [once, once, once, mismatch],
    });
    expect(results.map(({ ok }) => ok)).toEqual([false, true, true, false]);
    expect(results[3]!.value!.error).toMatchObject({ name: "invalid_idempotent_request", statusCode: 409 });
    expect(sites.resend.operations).toHaveLength(1);
    expect((await rows(key)).slice(0, 4)).toEqual([
      "unresolved broken",
      "settled looks_up:first",
      "settled looked_up",
      "settled replays:first",
    ]);
  });

  test("leaves nothing of its request, answer or key readable on the disk", async () => {
    const key = await issue("resend", "--daily-send-cap", "2");
    const once = ["emails.send", mail, { idempotencyKey: "canary-mail-2" }] as const;
    await runSdk({ sdk: "resend", key: key.vault_key, url: servers[0]!.url, calls: [once, once] });
    expect(sites.resend.operations).toHaveLength(1);
    const files = readdirSync(bench.dataDir, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) {
      const bytes = readFileSync(join(file.parentPath, file.name));
      for (const canary of [
        "canary subject",
        "canary text",
        "canary answer",
        "canary-mail",
        SECRETS.resend,
        key.vault_key,
      ]) {
        expect(bytes.includes(canary), `${canary} in ${file.name}`).toBe(false);
        const base64 = Buffer.from(canary).toString("base64").slice(0, 12);
        expect(bytes.includes(base64), `${canary} as base64 in ${file.name}`).toBe(false);
      }
    }
  });
});

test("an answer is replayed by a server that was killed and started anew", async () => {
  const key = await issue("stripe", "--daily-usd-cap", "79");
  const create = () => stripeAt(servers[0]!, key).paymentIntents.create(CHARGE, { idempotencyKey: "order-2" });
  const first = await create();
  await rows(key);
  await servers[0]!.kill("SIGKILL");
  servers[0] = await bench.serve();
  expect((await create()).id).toBe(first.id);
  expect(sites.stripe.operations).toHaveLength(1);
  expect(await rows(key)).toEqual(["settled", "settled replays:first"]);
});
