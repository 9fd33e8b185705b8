import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Bench, eventually, type IssuedKey, makeBench, type RunningKeybrake } from "../harness/keybrake.ts";
import { runSdk } from "../harness/sdk.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { charge } from "../harness/stripe-charge.ts";
import { ACCOUNT_SID, setVendor } from "../harness/vendor-account.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

/** A mail costs what a charge of the tests does, so that every admitted call takes as much of the total. */
const PRICES = "prices:\n  resend:\n    resend.email: 5\n";
const SECRETS = {
  stripe: "sk_test_several_real_secret_0123456789",
  twilio: "e2e0several0auth0token0000abcdef",
  resend: "re_several_real_secret_0123456789",
};
const SMS = { sid: `SM${"0".repeat(32)}`, status: "queued", num_segments: "1", price: null, price_unit: "USD" };

let bench: Bench;
let doubles: Record<keyof typeof SECRETS, VendorDouble>;

beforeEach(async () => {
  bench = await makeBench();
  doubles = {
    stripe: await startVendorDouble(succeededIntent),
    twilio: await startVendorDouble(() => ({ status: 201, body: JSON.stringify(SMS) })),
    resend: await startVendorDouble(() => ({ status: 200, body: '{"id":"email_double_1"}' })),
  };
  for (const name of Object.keys(SECRETS) as (keyof typeof SECRETS)[]) {
    await setVendor(bench, name, { origin: doubles[name].origin, secret: SECRETS[name] });
  }
});

afterEach(async () => {
  await bench.stop();
  for (const double of Object.values(doubles)) await double.stop();
});

interface SeveralKey extends IssuedKey {
  readonly vendor: null;
  readonly base_url: null;
  readonly base_urls: Readonly<Record<string, string>>;
  readonly agent_lines: readonly { readonly vendor: string }[];
  readonly environment: Readonly<Record<string, string>>;
}

/** A key for charges and mail, by a file as an operator writes it. */
function issue(caps: string): Promise<SeveralKey> {
  writeFileSync(join(bench.dataDir, "keybrake.yaml"), PRICES);
  const path = join(dirname(bench.dataDir), "run.yaml");
  const text = `vendors:
  stripe: { allowed_endpoints: [POST /v1/payment_intents] }
  resend: { allowed_endpoints: [POST /emails] }
expires_in: 1h
${caps}`;
  writeFileSync(path, text);
  return bench.json<SeveralKey>(["key", "issue", "--policy", path, "--label", "several/1"]);
}

function mail({ url }: RunningKeybrake, { vault_key }: IssuedKey): Promise<Response> {
  return fetch(`${url}/resend/emails`, {
    method: "POST",
    headers: { authorization: `Bearer ${vault_key}`, "content-type": "application/json" },
    body: JSON.stringify({ from: "a@example.com", to: ["b@example.com"], subject: "s", text: "t" }),
  });
}

/** Half of the calls are charges, half are mails; undefined stands for a call that got no answer. */
function send(servers: readonly RunningKeybrake[], key: IssuedKey, count: number): Promise<(number | undefined)[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const server = servers[index % servers.length]!;
      try {
        const response = await (Math.floor(index / servers.length) % 2 === 0 ? charge(server, key) : mail(server, key));
        await response.text();
        return response.status;
      } catch {
        return undefined;
      }
    }),
  );
}

const sent = () => doubles.stripe.requests.length + doubles.resend.requests.length;

interface Spend {
  readonly settled_usd: string;
  readonly held_usd: string;
  readonly unresolved_usd: string;
  readonly budgets: readonly { readonly budget: string; readonly used: string }[];
}

/** What the key has spent once nothing is held any more. */
function spent(key: IssuedKey): Promise<Spend> {
  return eventually(async () => {
    const { spend } = await bench.json<{ spend: Spend }>(["key", "show", key.id]);
    return /[1-9]/.test(spend.held_usd) ? undefined : spend;
  });
}

async function expectSoundCounters(): Promise<void> {
  const doctor = await bench.json<{ check: string; level: string }[]>(["doctor"]);
  expect(doctor.filter(({ check }) => check.includes("counter")).map(({ level }) => level)).toEqual(["ok"]);
}

test("the official SDKs of three vendors work with one key of the shipped template, each by its own rules", async () => {
  const server = await bench.serve();
  const key = await bench.json<SeveralKey>([
    ...["key", "issue", "--template", "multi-vendor", "--label", "nightly/42", "--set", "from=example.com"],
    ...["--per-vendor-daily-caps", "stripe=50"],
  ]);
  expect(key).toMatchObject({
    vendor: null,
    base_url: null,
    base_urls: Object.fromEntries(Object.keys(SECRETS).map((name) => [name, `${server.url}/${name}`])),
    environment: {
      STRIPE_API_KEY: key.vault_key,
      TWILIO_ACCOUNT_SID: ACCOUNT_SID,
      RESEND_API_KEY: key.vault_key,
    },
  });
  expect(new Set(key.agent_lines.map(({ vendor }) => vendor))).toEqual(new Set(Object.keys(SECRETS)));
  const at = { key: key.vault_key, url: server.url };

  const intent = { amount: 4000, currency: "usd", confirm: true, payment_method: "pm_card_visa" };
  const charges = await runSdk({
    sdk: "stripe",
    ...at,
    calls: [
      ["paymentIntents.create", intent],
      ["paymentIntents.create", { ...intent, amount: 1001 }],
      ["refunds.create", { payment_intent: "pi_1" }],
    ],
  });
  expect(charges).toMatchObject([
    { ok: true },
    { ok: false, type: "StripeRateLimitError", message: expect.stringContaining("per_vendor_daily_caps.stripe") },
    { ok: false, type: "StripePermissionError" },
  ]);

  const message = { to: "+14155550100", from: "+15005550006", body: "Paid" };
  const messages = await runSdk({
    sdk: "twilio",
    credentials: [ACCOUNT_SID, key.vault_key],
    url: server.url,
    calls: [
      ["messages.create", message],
      ["messages.create", { ...message, to: "+447700900000" }],
    ],
  });
  expect(messages).toMatchObject([
    { ok: true, value: { sid: SMS.sid } },
    { ok: false, status: 403, message: expect.stringContaining("to_prefixes") },
  ]);

  const receipt = { from: "billing@example.com", to: "b@example.org", subject: "Your receipt", text: "Paid" };
  const mails = await runSdk({
    sdk: "resend",
    ...at,
    calls: [
      ["emails.send", receipt],
      ["emails.send", { ...receipt, from: "ceo@example.net" }],
    ],
  });
  expect(mails).toMatchObject([{ ok: true }, { ok: false }]);

  const counts = Object.entries(doubles).map(([name, { requests }]) => [name, requests.length]);
  expect(Object.fromEntries(counts)).toEqual({ stripe: 1, twilio: 1, resend: 1 });
  for (const [name, secret] of Object.entries(SECRETS)) {
    const [request] = doubles[name as keyof typeof SECRETS].requests;
    const { authorization = "" } = request!.headers as Record<string, string>;
    const [scheme, credential = ""] = authorization.split(" ");
    expect(scheme === "Basic" ? Buffer.from(credential, "base64").toString() : credential).toContain(secret);
  }
  const rows = await bench.json<{ vendor: string; policy_verdict: string }[]>(["audit", "--key", key.id]);
  expect(rows.map((row) => `${row.vendor} ${row.policy_verdict}`)).toEqual([
    "stripe allowed",
    "stripe cap_exceeded",
    "stripe endpoint_denied",
    "twilio allowed",
    "twilio scope_denied",
    "resend allowed",
    "resend scope_denied",
  ]);
});

test("64 calls of $5 over two vendors and two servers on one total of $100 let exactly 20 through", async () => {
  const key = await issue("daily_usd_cap_total: 100\n");
  const servers = [await bench.serve(), await bench.serve([], bench.port + 1)];
  const statuses = await send(servers, key, 64);
  expect(statuses.filter((status) => status === 200)).toHaveLength(20);
  expect(statuses.filter((status) => status === 429)).toHaveLength(44);
  expect(sent()).toBe(20);
  expect(await spent(key)).toMatchObject({
    settled_usd: "100.00",
    unresolved_usd: "0.00",
    budgets: [{ budget: "daily_usd_cap_total", used: "100.00" }],
  });
  await expectSoundCounters();
});

test("a vendor's own cap and the total are both exact when they are charged at once", async () => {
  const key = await issue("daily_usd_cap_total: 100\nper_vendor_daily_caps: { stripe: 40 }\n");
  const server = await bench.serve();
  await send([server], key, 64);
  expect([doubles.stripe.requests.length, doubles.resend.requests.length]).toEqual([8, 12]);
  expect((await spent(key)).budgets).toMatchObject([
    { budget: "per_vendor_daily_caps.stripe", used: "40.00" },
    { budget: "daily_usd_cap_total", used: "100.00" },
  ]);
  await expectSoundCounters();
});

test("a server that is killed with calls in flight leaves the total whole: no more than it is ever sent", async () => {
  const key = await issue("daily_usd_cap_total: 100\n");
  const killed = await bench.serve();
  const other = await bench.serve([], bench.port + 1);
  const load = send([killed, other], key, 48);
  await eventually(() => (sent() >= 3 ? true : undefined));
  await killed.kill("SIGKILL");
  await load;
  const again = await bench.serve();
  await send([again, other], key, 48);
  expect(sent()).toBeLessThanOrEqual(20);
  const { budgets } = await spent(key);
  expect(budgets).toMatchObject([{ budget: "daily_usd_cap_total", used: "100.00" }]);
  await expectSoundCounters();
});
