import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Bench, type IssuedKey, makeBench, type RunningKeybrake } from "../harness/keybrake.ts";
import { runSdk } from "../harness/sdk.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { ACCOUNT_SID, setVendor } from "../harness/vendor-account.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

/** Looks like a secret to the tests and to nobody else. */
const SECRETS = {
  stripe: "sk_test_e2e_real_secret_0123456789",
  twilio: "e2e0real0twilio0auth0token0abcdef",
  resend: "re_e2e_real_secret_0123456789",
};

let bench: Bench;
let server: RunningKeybrake;
const doubles = {} as Record<keyof typeof SECRETS, VendorDouble>;

async function issue(args: readonly string[]): Promise<IssuedKey> {
  return bench.json<IssuedKey>(["key", "issue", ...args]);
}

beforeAll(async () => {
  bench = await makeBench();
  doubles.stripe = await startVendorDouble(succeededIntent);
  doubles.twilio = await startVendorDouble(() => ({
    status: 201,
    body: JSON.stringify({
      sid: `SM${"0".repeat(32)}`,
      status: "queued",
      num_segments: "1",
      price: null,
      price_unit: "USD",
    }),
  }));
  doubles.resend = await startVendorDouble(() => ({ status: 200, body: JSON.stringify({ id: "email_double_1" }) }));
  for (const name of Object.keys(SECRETS) as (keyof typeof SECRETS)[]) {
    await setVendor(bench, name, { origin: doubles[name].origin, secret: SECRETS[name] });
  }
  server = await bench.serve();
});

afterAll(async () => {
  await bench.stop();
  for (const double of Object.values(doubles)) await double.stop();
});

const CHARGE = {
  amount: 4000,
  currency: "usd",
  confirm: true,
  payment_method: "pm_card_visa",
  customer: "cus_9a8b7c",
};

describe("stripe-node", () => {
  for (const options of [{}, { maxNetworkRetries: 5 }]) {
    const settings = JSON.stringify(options);

    test(`raises its own rate-limit error at the cap, after one attempt, with ${settings}`, async () => {
      const key = await issue([
        "--vendor",
        "stripe",
        "--daily-usd-cap",
        "100",
        "--allowed-endpoints",
        "POST /v1/payment_intents",
        "--expires-in",
        "1h",
        "--label",
        `cap ${settings}`,
      ]);
      const before = doubles.stripe.requests.length;
      const call = ["paymentIntents.create", CHARGE] as const;
      const results = await runSdk({
        sdk: "stripe",
        key: key.vault_key,
        url: server.url,
        options,
        calls: [call, call, call],
      });
      expect(results.map(({ ok }) => ok)).toEqual([true, true, false]);
      expect(results[2]).toMatchObject({ name: "StripeRateLimitError", status: 429, code: "keybrake_cap_exceeded" });
      expect(results[2]!.message).toContain("$80.00 of $100.00");
      expect(results[2]!.headers).toMatchObject({ "x-keybrake-cap-hit": "true", "stripe-should-retry": "false" });
      expect(results[2]!.headers).not.toHaveProperty("retry-after");
      expect(doubles.stripe.requests.length - before).toBe(2);
      const rows = await bench.json<Record<string, unknown>[]>(["audit", "--key", key.id]);
      expect(rows.map((row) => row["policy_verdict"])).toEqual(["allowed", "allowed", "cap_exceeded"]);
    });

    test(`raises its own authentication error after a revoke, after one attempt, with ${settings}`, async () => {
      const key = await issue(["--template", "billing", "--label", `revoked ${settings}`]);
      const revoked = await bench.cli(["key", "revoke", key.id, "--reason", "stuck loop"]);
      expect(revoked.code).toBe(0);
      const before = doubles.stripe.requests.length;
      const results = await runSdk({
        sdk: "stripe",
        key: key.vault_key,
        url: server.url,
        options,
        calls: [["paymentIntents.create", CHARGE]],
      });
      expect(results[0]).toMatchObject({ ok: false, name: "StripeAuthenticationError", status: 401 });
      expect(doubles.stripe.requests.length).toBe(before);
      expect(await bench.json<unknown[]>(["audit", "--key", key.id])).toHaveLength(1);
    });
  }

  test("sends the vendor the real secret and never the vault key, and the client never the secret", async () => {
    const key = await issue(["--template", "billing", "--label", "swap"]);
    const before = doubles.stripe.requests.length;
    const results = await runSdk({
      sdk: "stripe",
      key: key.vault_key,
      url: server.url,
      calls: [["paymentIntents.create", { ...CHARGE, metadata: { order_id: "ord_1" } }]],
    });
    expect(results[0]).toMatchObject({ ok: true });
    const [request] = doubles.stripe.requests.slice(before);
    expect(request!.headers["authorization"]).toBe(`Bearer ${SECRETS.stripe}`);
    expect(request!.target).toBe("/v1/payment_intents");
    expect(request!.body).toBe(
      "amount=4000&currency=usd&confirm=true&payment_method=pm_card_visa&customer=cus_9a8b7c&metadata[order_id]=ord_1",
    );
    expect(request!.raw.includes("vault_key")).toBe(false);
    expect(request!.headers["idempotency-key"]).toMatch(/^kb_[0-9a-f]{48}$/);
    expect(JSON.stringify(results)).not.toContain(SECRETS.stripe);
  });

  test("reads through the proxy and is refused what its policy does not allow, without a vendor call", async () => {
    const key = await issue(["--template", "read-only", "--label", "reads"]);
    const before = doubles.stripe.requests.length;
    const calls = [
      ["customers.retrieve", "cus_1A2b3C4d"],
      ["paymentIntents.create", CHARGE],
    ] as const;
    const results = await runSdk({ sdk: "stripe", key: key.vault_key, url: server.url, calls });
    expect(results[0]!.ok).toBe(true);
    expect(results[1]).toMatchObject({ ok: false, name: "StripePermissionError", status: 403 });
    expect(doubles.stripe.requests.slice(before).map(({ method, target }) => `${method} ${target}`)).toEqual([
      "GET /v1/customers/cus_1A2b3C4d",
    ]);
  });
});

describe("twilio-node", () => {
  const message = { to: "+14155550100", from: "+14155550199", body: "hello" };

  for (const [position, credentials] of [
    ["as the auth token", (key: string): [string, string] => [ACCOUNT_SID, key]],
    ["as the user name", (key: string): [string, string] => [key, "x"]],
  ] as const) {
    test(`takes the vault key ${position}, and stops at the send cap with its own error`, async () => {
      const key = await issue([
        "--vendor",
        "twilio",
        "--daily-usd-cap",
        "5",
        "--daily-send-cap",
        "1",
        "--to-prefixes",
        "+1",
        "--allowed-endpoints",
        "POST /2010-04-01/Accounts/*/Messages.json",
        "--expires-in",
        "1h",
        "--label",
        `sms ${position}`,
      ]);
      const before = doubles.twilio.requests.length;
      const call = ["messages.create", message] as const;
      const abroad = ["messages.create", { ...message, to: "+442071838750" }] as const;
      const results = await runSdk({
        sdk: "twilio",
        credentials: credentials(key.vault_key),
        options: { accountSid: ACCOUNT_SID },
        url: server.url,
        calls: [abroad, call, call],
      });
      expect(results[0]).toMatchObject({ ok: false, name: "RestException", status: 403 });
      expect(results[1]).toMatchObject({ ok: true });
      expect(results[2]).toMatchObject({ ok: false, name: "RestException", status: 429 });
      expect(results[2]!.message).toContain("daily_send_cap");
      const sent = doubles.twilio.requests.slice(before);
      expect(sent).toHaveLength(1);
      const basic = Buffer.from(`${ACCOUNT_SID}:${SECRETS.twilio}`).toString("base64");
      expect(sent[0]!.headers["authorization"]).toBe(`Basic ${basic}`);
      expect(sent[0]!.target).toBe(`/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`);
      expect(JSON.stringify(results)).not.toContain(SECRETS.twilio);
    });
  }
});

describe("resend-node", () => {
  test("counts every recipient, stops at the cap with its own error, and never throws", async () => {
    const key = await issue([
      "--vendor",
      "resend",
      "--daily-send-cap",
      "3",
      "--from-domains",
      "example.com",
      "--to-domains",
      "example.org",
      "--allowed-endpoints",
      "POST /emails",
      "--expires-in",
      "1h",
      "--label",
      "mail",
    ]);
    const before = doubles.resend.requests.length;
    const mail = { from: "a@example.com", to: ["b@example.org", "c@example.org"], subject: "hi", text: "hello" };
    const outside = { ...mail, to: ["x@elsewhere.net"] };
    const results = await runSdk({
      sdk: "resend",
      key: key.vault_key,
      url: server.url,
      calls: [
        ["emails.send", outside],
        ["emails.send", mail],
        ["emails.send", mail],
      ],
    });
    expect(results[0]!.value!.error).toMatchObject({ statusCode: 403 });
    expect(results[1]!.value!["data"]).toEqual({ id: "email_double_1" });
    expect(results[2]!.value!.error).toMatchObject({ statusCode: 429, name: "daily_quota_exceeded" });
    const sent = doubles.resend.requests.slice(before);
    expect(sent).toHaveLength(1);
    expect(sent[0]!.headers["authorization"]).toBe(`Bearer ${SECRETS.resend}`);
    expect(sent[0]!.target).toBe("/emails");
  });
});

test("keeps the secrets out of everything that it wrote: output, database, WAL", async () => {
  const files = [...new Bun.Glob("**/*").scanSync({ cwd: bench.dataDir, dot: true })];
  expect(files).toContain("keybrake.db");
  for (const secret of Object.values(SECRETS)) {
    for (const text of [secret, Buffer.from(secret).toString("base64"), Buffer.from(secret).toString("hex")]) {
      expect(server.output()).not.toContain(text);
      for (const file of files) {
        const bytes = Buffer.from(await Bun.file(`${bench.dataDir}/${file}`).arrayBuffer());
        expect(bytes.includes(text), `${file} has a secret`).toBe(false);
      }
    }
  }
});
