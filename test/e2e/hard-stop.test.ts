import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { freePort } from "../harness/free-port.ts";
import { type Bench, eventually, type IssuedKey, makeBench, type RunningKeybrake } from "../harness/keybrake.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { charge, issueChargeKey } from "../harness/stripe-charge.ts";
import { setVendor } from "../harness/vendor-account.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

let bench: Bench;
let vendor: VendorDouble;
let server: RunningKeybrake;

beforeAll(async () => {
  bench = await makeBench();
  vendor = await startVendorDouble((request) => (request.body.includes("hang") ? "hang" : succeededIntent(request)));
  await setVendor(bench, "stripe", { origin: vendor.origin, secret: "sk_test_hard_stop_real_secret" });
  server = await bench.serve();
});

afterAll(async () => {
  await bench.stop();
  await vendor.stop();
});

const issueKey = (label: string) => issueChargeKey(bench, "100", label);

/** Calls that the vendor has and does not answer. */
async function hang(keys: readonly IssuedKey[]): Promise<Promise<Response>[]> {
  const before = vendor.requests.length;
  const calls = keys.map((key) => charge(server, key, "hang"));
  await eventually(() => (vendor.requests.length === before + keys.length ? true : undefined));
  return calls;
}

interface Row {
  readonly state: string;
  readonly policy_verdict: string;
  readonly exposure_usd: string;
}

async function rowsOf(key: IssuedKey): Promise<Row[]> {
  return bench.json<Row[]>(["audit", "--key", key.id]);
}

async function expectCutOff(key: IssuedKey, call: Promise<Response>): Promise<void> {
  const response = await call;
  expect(response.status).toBe(504);
  const { keybrake } = (await response.json()) as { keybrake: { code: string; message: string } };
  expect(keybrake.code).toBe("upstream_timeout");
  expect(keybrake.message).toContain("cut off by the operator's hard stop");
  const rows = await eventually(async () => {
    const found = await rowsOf(key);
    return found.some(({ state }) => state === "held") ? undefined : found;
  });
  expect(rows[0]).toMatchObject({ state: "unresolved", policy_verdict: "upstream_timeout", exposure_usd: "5.00" });
}

const STOPS: readonly (readonly [what: string, args: (key: IssuedKey, label: string) => readonly string[]])[] = [
  ["key revoke ID --hard", (key) => ["key", "revoke", key.id, "--hard", "--reason", "stuck loop"]],
  ["key revoke --run --hard", (_key, label) => ["key", "revoke", "--run", label, "--hard"]],
  ["brake --label-prefix --hard", (_key, label) => ["brake", "--label-prefix", label, "--hard"]],
];

describe("a running server has calls at a vendor that hangs, and", () => {
  for (const [what, args] of STOPS) {
    test(`keybrake ${what} on its data directory aborts them`, async () => {
      const label = `${what}/1`;
      const [key, other] = [await issueKey(label), await issueKey(`other ${what}`)];
      const [first, second, untouched] = await hang([key, key, other]);
      const stopped = await bench.cli(args(key, label));
      expect(stopped).toMatchObject({ code: 0 });
      expect(stopped.stderr).not.toContain("warning");
      for (const call of [first!, second!]) await expectCutOff(key, call);
      expect(await rowsOf(other)).toMatchObject([{ state: "held" }]);
      await bench.cli(["key", "revoke", other.id, "--hard"]);
      await expectCutOff(other, untouched!);
    });
  }

  test("a --hard after a plain revoke gets rid of what the plain one let finish", async () => {
    const key = await issueKey("after/1");
    const [call] = await hang([key]);
    expect(await bench.cli(["key", "revoke", key.id])).toMatchObject({ code: 0 });
    expect((await charge(server, key)).status).toBe(401);
    expect(await rowsOf(key)).toMatchObject([{ state: "held" }, { state: "refused" }]);
    expect(await bench.cli(["key", "revoke", key.id, "--hard"])).toMatchObject({ code: 0 });
    await expectCutOff(key, call!);
  });

  test("a hard brake that has been released leaves later calls alone", async () => {
    const key = await issueKey("later/1");
    const [call] = await hang([key]);
    expect(await bench.cli(["brake", "--hard", "--reason", "drill"])).toMatchObject({ code: 0 });
    expect((await call!).status).toBe(504);
    const braked = await charge(server, key);
    expect(braked.status).toBe(403);
    expect(await braked.text()).toContain("The operator said: drill. Stop this run.");
    expect(await bench.cli(["release"])).toMatchObject({ code: 0 });
    const [later] = await hang([key]);
    expect((await charge(server, key)).status).toBe(200);
    expect((await rowsOf(key)).map(({ state }) => state)).toEqual(["unresolved", "refused", "held", "settled"]);
    await bench.cli(["key", "revoke", key.id, "--hard"]);
    await expectCutOff(key, later!);
  });

  test("a brake on a label prefix taken by another server holds here at the next call, aborts what is in flight where it is hard, and is released from there", async () => {
    const elsewhere = await bench.serve([], await freePort());
    const { token } = await bench.json<{ token: string }>(["token", "issue", "--role", "admin"]);
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const scope = { label_prefix: "tenant:acme:" };
    const brake = (method: string, body: object) =>
      fetch(`${elsewhere.url}/brake`, { method, headers, body: JSON.stringify(body) });
    const [key, other] = [await issueKey("tenant:acme:1"), await issueKey("tenant:beta:1")];
    const [call] = await hang([key]);
    expect((await brake("POST", scope)).ok).toBe(true);
    expect((await charge(server, key)).status).toBe(403);
    expect((await charge(server, other)).status).toBe(200);
    expect((await rowsOf(key))[0]).toMatchObject({ state: "held" });
    expect((await brake("POST", { ...scope, hard: true })).ok).toBe(true);
    await expectCutOff(key, call!);
    const released = await fetch(`${elsewhere.url}/brake?label_prefix=tenant:acme:`, {
      method: "DELETE",
      headers: { authorization: headers.authorization },
    });
    expect(released.ok).toBe(true);
    expect((await charge(server, key)).status).toBe(200);
  });
});
