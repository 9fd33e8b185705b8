import { afterEach, expect, test } from "bun:test";
import type { Config } from "../../src/config.ts";
import { type Served, serve } from "./served.ts";

let served: Served;
afterEach(() => served.close());

const EVERYWHERE: Partial<Config> = { listen: { host: "0.0.0.0", port: 7878 }, publicUrl: "https://proxy.example" };

const HOSTS: readonly (readonly [config: Partial<Config>, host: string, status: number])[] = [
  [{}, "127.0.0.1:7878", 200],
  [{}, "127.0.0.1", 200],
  [{}, "localhost:7878", 200],
  [{}, "LOCALHOST", 200],
  [{}, "[::1]:7878", 200],
  [{}, "evil.example", 421],
  [{}, "evil.example:7878", 421],
  [{}, "127.0.0.1.evil.example", 421],
  [{}, "localhost.evil.example", 421],
  [{}, "10.0.0.5:7878", 421],
  [{}, "a#", 421],
  [{}, "x/?", 421],
  [{}, "127.0.0.1, evil.example", 421],
  [{}, "user@127.0.0.1", 421],
  [{}, "", 421],
  [EVERYWHERE, "proxy.example", 200],
  [EVERYWHERE, "10.0.0.5:7878", 200],
  [EVERYWHERE, "[fd00::5]:7878", 200],
  [EVERYWHERE, "evil.example", 421],
  [{ listen: { host: "keybrake", port: 7878 } }, "keybrake:7878", 200],
  [{ adminListen: { host: "10.0.0.9", port: 7879 } }, "10.0.0.9:7879", 200],
];

test.each(HOSTS)("with %j, Host %j is answered %i", async (config, host, status) => {
  served = await serve({ config });
  expect((await served.call("GET", "/vendors", { headers: { host } })).status).toBe(status);
});

test("says that it lives whatever name it is asked by", async () => {
  served = await serve();
  for (const path of ["/healthz", "/readyz"]) {
    expect((await served.call("GET", path, { token: null, headers: { host: "10.1.2.3:7878" } })).status).toBe(200);
  }
});

const ORIGINS: readonly (readonly [origin: string, status: number])[] = [
  ["http://127.0.0.1:7878", 200],
  ["https://127.0.0.1:7878", 200],
  ["https://proxy.example", 200],
  ["http://127.0.0.1:3000", 403],
  ["http://localhost:7878", 403],
  ["https://evil.example", 403],
  ["https://proxy.example.evil.example", 403],
  ["null", 403],
  ["", 403],
  ["file://", 403],
];

test.each(ORIGINS)("a page of %j is answered %i", async (origin, status) => {
  served = await serve({ config: { publicUrl: "https://proxy.example" } });
  expect((await served.call("GET", "/vendors", { headers: { origin } })).status).toBe(status);
});

const TLS: Partial<Config> = { tls: { certFile: "a", keyFile: "b" }, publicUrl: "https://127.0.0.1:7878" };
const BEHIND: Partial<Config> = { behindTlsProxy: true, publicUrl: "https://proxy.example" };

/** Where browsers come by TLS, a page that came in clear may have been written on its way. */
const SCHEMES: readonly (readonly [
  what: string,
  config: Partial<Config>,
  host: string,
  origin: string,
  status: number,
])[] = [
  ["its own TLS", TLS, "127.0.0.1:7878", "https://127.0.0.1:7878", 200],
  ["its own TLS", TLS, "127.0.0.1:7878", "http://127.0.0.1:7878", 403],
  ["a TLS proxy", BEHIND, "proxy.example", "https://proxy.example", 200],
  ["a TLS proxy", BEHIND, "proxy.example", "http://proxy.example", 403],
  ["a TLS proxy", BEHIND, "127.0.0.1:7878", "http://127.0.0.1:7878", 200],
  ["a TLS proxy that passes no Host on", BEHIND, "127.0.0.1:7878", "https://proxy.example", 200],
  ["a public name", { publicUrl: "https://proxy.example" }, "proxy.example", "http://proxy.example", 403],
];

test.each(SCHEMES)(
  "with %s (%j), a page asking %s from %s is answered %i",
  async (_what, config, host, origin, status) => {
    served = await serve({ config });
    expect((await served.call("GET", "/vendors", { headers: { host, origin } })).status).toBe(status);
  },
);

test("takes no body that a form or a script of another site could send", async () => {
  served = await serve();
  for (const type of [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "",
    "application/jsonx",
  ]) {
    const answer = await served.call("POST", "/brake", { body: "{}", headers: { "content-type": type } });
    expect(answer.status).toBe(415);
    expect(answer.json.error.hint).toContain("application/json");
  }
  expect(await served.control.listBrakes()).toEqual([]);
  const json = { "content-type": "application/json; charset=utf-8" };
  expect((await served.call("POST", "/brake", { body: "{}", headers: json })).status).toBe(201);
});
