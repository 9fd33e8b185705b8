import { afterEach, beforeEach, expect, test } from "bun:test";
import { Secret } from "../../src/core/secret.ts";
import { type Installed, install, problemOf } from "./installed.ts";

let installed: Installed;
let server: ReturnType<typeof Bun.serve>;
let answer: () => Response;
let seen: { readonly url: string; readonly authorization: string | null }[];

beforeEach(async () => {
  installed = await install();
  seen = [];
  answer = () => new Response("{}");
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      seen.push({ url: new URL(request.url).pathname, authorization: request.headers.get("authorization") });
      return answer();
    },
  });
});
afterEach(async () => {
  await server.stop(true);
  await installed.close();
});

const SECRET = "sk_test_real_secret";
const SID = `AC${"0".repeat(32)}`;

async function setUp(name = "stripe", account_id?: string): Promise<void> {
  const origin = `http://127.0.0.1:${server.port}`;
  const settings = { secret: new Secret(SECRET), origin, private: true, ...(account_id && { account_id }) };
  await installed.control.setVendor(name, settings);
}

test("reads once, at the vendor's cheap path, with the real secret", async () => {
  await setUp();
  expect(await installed.control.testVendor("stripe")).toEqual({
    name: "stripe",
    ok: true,
    http_status: 200,
    message: "Stripe accepts the secret",
  });
  expect(seen).toEqual([{ url: "/v1/balance", authorization: `Bearer ${SECRET}` }]);
});

test("asks Twilio for the stored account, with the account as user name", async () => {
  await setUp("twilio", SID);
  expect((await installed.control.testVendor("twilio")).ok).toBe(true);
  const basic = `Basic ${Buffer.from(`${SID}:${SECRET}`).toString("base64")}`;
  expect(seen).toEqual([{ url: `/2010-04-01/Accounts/${SID}.json`, authorization: basic }]);
});

const ANSWERS = [
  [401, /does not accept the secret/],
  [403, /restricted key/],
  [302, /redirect, which is not followed/],
  [429, /too many requests/],
  [500, /answers 500/],
] as const;

test.each(ANSWERS)("says what %i means, without a word of the vendor's body", async (status, message) => {
  await setUp();
  answer = () => new Response(`wrong key ${SECRET}`, { status, headers: { location: "https://evil.example/" } });
  const view = await installed.control.testVendor("stripe");
  expect(view).toMatchObject({ ok: false, http_status: status });
  expect(view.message).toMatch(message);
  expect(JSON.stringify(view)).not.toContain(SECRET);
  expect(seen).toHaveLength(1);
});

test("says that a vendor cannot be reached, and nothing of the secret", async () => {
  await setUp();
  const { port } = server;
  await server.stop(true);
  const view = await installed.control.testVendor("stripe");
  expect(view).toMatchObject({ ok: false, http_status: null });
  expect(view.message).toContain(`127.0.0.1:${port}`);
  expect(JSON.stringify(view)).not.toContain(SECRET);
});

test("sends nothing where there is no secret", async () => {
  expect((await problemOf(() => installed.control.testVendor("stripe"))).message).toContain("no secret yet");
});

test("sends nothing while the environment would carry the secret elsewhere", async () => {
  const proxied = await install({ environment: { HTTPS_PROXY: "http://proxy.example" } });
  const origin = `http://127.0.0.1:${server.port}`;
  await proxied.control.setVendor("stripe", { secret: new Secret(SECRET), origin, private: true });
  expect((await problemOf(() => proxied.control.testVendor("stripe"))).message).toContain("HTTPS_PROXY");
  expect(seen).toEqual([]);
  await proxied.close();
});
