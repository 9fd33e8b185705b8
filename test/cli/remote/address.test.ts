import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { remoteAddress } from "../../../src/cli/remote/address.ts";
import { readRemote } from "../../../src/config-remote.ts";
import { mintControlToken } from "../../../src/vault/control-token.ts";

const folder = mkdtempSync(join(tmpdir(), "keybrake-address-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TOKEN = mintControlToken("admin").token.reveal();
const DAMAGED = `${TOKEN.slice(0, -1)}${TOKEN.endsWith("a") ? "b" : "a"}`;

function open(environment: Readonly<Record<string, string>>) {
  const given = { KEYBRAKE_API_KEY: TOKEN, ...environment };
  return remoteAddress(readRemote(given)!, given);
}

test.each([
  ["https://keybrake.example", "https://keybrake.example"],
  ["https://keybrake.example/", "https://keybrake.example"],
  ["https://keybrake.example/ops/brakes//", "https://keybrake.example/ops/brakes"],
  ["https://Keybrake.example:8443", "https://keybrake.example:8443"],
  ["http://127.0.0.1:7878/", "http://127.0.0.1:7878"],
  ["http://localhost:7878", "http://localhost:7878"],
  ["http://[::1]:7878", "http://[::1]:7878"],
])("%s is a server's address, and paths go behind %s", (url, base) => {
  expect(open({ KEYBRAKE_URL: url }).base).toBe(base);
});

test("without KEYBRAKE_URL there is no server", () => {
  expect(readRemote({ KEYBRAKE_API_KEY: TOKEN })).toBeUndefined();
  expect(readRemote({ KEYBRAKE_URL: "" })).toBeUndefined();
});

describe("nothing is sent, and the reason is said with exit code 2:", () => {
  const REFUSED: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
    ["no token", { KEYBRAKE_URL: "https://b.example", KEYBRAKE_API_KEY: "" }, "KEYBRAKE_API_KEY is not"],
    ["a damaged token", { KEYBRAKE_URL: "https://b.example", KEYBRAKE_API_KEY: DAMAGED }, "its checksum does not fit"],
    [
      "another place's secret in place of the token",
      { KEYBRAKE_URL: "https://b.example", KEYBRAKE_API_KEY: "sk_test_real_secret" },
      "KEYBRAKE_API_KEY is not a token of the control plane",
    ],
    ["plain HTTP to another machine", { KEYBRAKE_URL: "http://b.example:7878" }, "over plain HTTP others"],
    ["plain HTTP to a private address", { KEYBRAKE_URL: "http://10.0.0.1" }, "over plain HTTP others"],
    ["a name that begins like loopback", { KEYBRAKE_URL: "http://127.0.0.1.b.example" }, "over plain HTTP others"],
    ["another protocol", { KEYBRAKE_URL: "ftp://b.example" }, "must be the address of a server"],
    ["no URL at all", { KEYBRAKE_URL: "b.example" }, "must be the address of a server"],
    ["a query", { KEYBRAKE_URL: "https://b.example/?a=1" }, "must be the address of a server"],
    ["a password in the URL", { KEYBRAKE_URL: "https://me:pw@b.example" }, "has a user name in it"],
    ["an unclear switch", { KEYBRAKE_URL: "https://b.example", KEYBRAKE_ALLOW_HTTP: "yes" }, "must be true or false"],
    [
      "TLS that is not checked",
      { KEYBRAKE_URL: "https://b.example", NODE_TLS_REJECT_UNAUTHORIZED: "0" },
      "NODE_TLS_REJECT_UNAUTHORIZED is set",
    ],
    [
      "requests that are printed",
      { KEYBRAKE_URL: "https://b.example", BUN_CONFIG_VERBOSE_FETCH: "curl" },
      "BUN_CONFIG_VERBOSE_FETCH is set",
    ],
  ];

  test.each(REFUSED)("%s", (_, environment, message) => {
    const opening = () => open(environment);
    expect(opening).toThrow(expect.objectContaining({ code: "usage", message: expect.stringContaining(message) }));
    try {
      opening();
    } catch (thrown) {
      const { message: said, hint } = thrown as { message: string; hint: string };
      expect(said + hint).not.toMatch(/real_secret|pw@/);
      expect(said + hint).not.toContain(DAMAGED);
    }
  });
});

test("plain HTTP to another machine is for who says so", () => {
  expect(open({ KEYBRAKE_URL: "http://b.example:7878", KEYBRAKE_ALLOW_HTTP: "true" })).toMatchObject({
    base: "http://b.example:7878",
    isPlain: true,
  });
});

test("KEYBRAKE_CA_FILE must be there and hold a certificate", () => {
  const url = "https://b.example";
  expect(() => open({ KEYBRAKE_URL: url, KEYBRAKE_CA_FILE: join(folder, "none") })).toThrow("KEYBRAKE_CA_FILE");
  writeFileSync(join(folder, "key.pem"), "-----BEGIN PRIVATE KEY-----\n");
  expect(() => open({ KEYBRAKE_URL: url, KEYBRAKE_CA_FILE: join(folder, "key.pem") })).toThrow("holds no certificate");
});
