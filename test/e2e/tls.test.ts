import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { type Authority, makeAuthority } from "../harness/certificate.ts";
import { type Bench, eventually, makeBench, type RunningKeybrake } from "../harness/keybrake.ts";
import { runSdk } from "../harness/sdk.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { setVendor } from "../harness/vendor-account.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

const SECRET = "sk_test_tls_real_secret_0123456789";

let bench: Bench;
let vendor: VendorDouble;
let authority: Authority;
let server: RunningKeybrake;

const file = (name: string) => join(bench.dataDir, "..", name);
const flags = () => ["--tls-cert", file("tls.crt"), "--tls-key", file("tls.key")];

function putCertificate(name: string, options: { from?: number; days?: number } = {}): void {
  const { certificate, key } = authority.issue({ names: [name, "127.0.0.1"], ...options });
  writeFileSync(file("tls.crt"), certificate);
  writeFileSync(file("tls.key"), key, { mode: 0o600 });
}

beforeAll(async () => {
  bench = await makeBench();
  vendor = await startVendorDouble(succeededIntent);
  await setVendor(bench, "stripe", { origin: vendor.origin, secret: SECRET });
  authority = makeAuthority();
  writeFileSync(file("ca.crt"), authority.certificate);
  putCertificate("first.example");
  Object.assign(bench.environment, { KEYBRAKE_TLS_CERT: file("tls.crt"), KEYBRAKE_TLS_KEY: file("tls.key") });
  server = await bench.serve(flags());
});

afterAll(async () => {
  await bench.stop();
  await vendor.stop();
});

interface Issued {
  readonly vault_key: string;
  readonly base_url: string;
}

const issue = () =>
  bench.json<Issued>([
    ...["key", "issue", "--vendor", "stripe", "--daily-usd-cap", "100", "--expires-in", "1h"],
    ...["--allowed-endpoints", "POST /v1/payment_intents"],
  ]);

const CHARGE = { amount: 4000, currency: "usd", confirm: true, payment_method: "pm_card_visa" };

describe("the official Stripe SDK, over TLS of an authority of one's own", () => {
  test("pays, and gets its typed error at the cap, with NODE_EXTRA_CA_CERTS and nothing else", async () => {
    const { vault_key, base_url } = await issue();
    expect(base_url).toBe(`https://127.0.0.1:${bench.port}/stripe`);
    const call = ["paymentIntents.create", CHARGE] as const;
    const plan = { sdk: "stripe", key: vault_key, url: server.url, options: { protocol: "https" } } as const;
    const results = await runSdk({ ...plan, calls: [call, call, call] }, { NODE_EXTRA_CA_CERTS: file("ca.crt") });
    expect(results.map(({ ok, name }) => (ok ? "paid" : name))).toEqual(["paid", "paid", "StripeRateLimitError"]);
    expect(vendor.requests.at(-1)!.headers["authorization"]).toBe(`Bearer ${SECRET}`);
  });

  test("sends nothing to a server whose authority it does not know", async () => {
    const { vault_key } = await issue();
    const before = vendor.requests.length;
    const options = { protocol: "https", maxNetworkRetries: 0 };
    const calls = [["paymentIntents.create", CHARGE]] as const;
    const [result] = await runSdk({ sdk: "stripe", key: vault_key, url: server.url, options, calls });
    expect(result).toMatchObject({ ok: false, name: "StripeConnectionError" });
    expect(vendor.requests.length).toBe(before);
  });
});

test("a renewed certificate is in force without a restart or a signal", async () => {
  putCertificate("second.example");
  const name = () =>
    new Promise<unknown>((done) => {
      const socket = connect({ port: server.port, host: "127.0.0.1", ca: authority.certificate }, () => {
        done(socket.getPeerCertificate().subject.CN);
        socket.destroy();
      });
      socket.once("error", () => done(undefined));
    });
  await eventually(async () => ((await name()) === "second.example" ? true : undefined));
  expect(server.output()).toContain('"event":"tls_renewed"');
}, 30_000);

test("doctor says for how long the certificate is good, and warns when that is short", async () => {
  const found = async () => (await bench.cli(["doctor"])).stdout;
  expect(await found()).toMatch(/tls .*is good for 127\.0\.0\.1 until .*\(8[0-9] days\)/);
  putCertificate("third.example", { days: 10 });
  expect(await found()).toMatch(/tls .*\([0-9] days\)/);
});

describe("does not start", () => {
  const start = async (...args: string[]) => {
    const { code, stderr } = await bench.cli(["serve", "--listen", "127.0.0.1:0", ...args]);
    return `${code} ${stderr}`;
  };

  test("with a key of another certificate", async () => {
    writeFileSync(file("other.key"), authority.issue().key, { mode: 0o600 });
    expect(await start("--tls-key", file("other.key"))).toMatch(/^1 .*is not that of the certificate/);
  });

  test("with a certificate that has expired", async () => {
    putCertificate("late.example", { from: Date.UTC(2025, 0, 1), days: 10 });
    expect(await start()).toMatch(/^1 .*expired at 2025-01-11T00:00:00.000Z/);
  });

  test("with one half of the pair", async () => {
    expect(await start("--tls-cert", "")).toMatch(/^1 .*there is a TLS key and no --tls-cert/);
  });

  test("in clear on an address beyond this machine, and says the ways out", async () => {
    const clear = { KEYBRAKE_TLS_CERT: "", KEYBRAKE_TLS_KEY: "" };
    const refused = await bench.cli(["serve", "--listen", "0.0.0.0:0"], { environment: clear });
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    for (const way of ["--tls-cert", "--tls-key", "--behind-tls-proxy", "127.0.0.1"])
      expect(refused.stderr).toContain(way);
  });
});
