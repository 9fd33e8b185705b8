import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../src/config.ts";

const directories: string[] = [];

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function configOf(yaml: string) {
  const data = mkdtempSync(join(tmpdir(), "keybrake-config-"));
  directories.push(data);
  writeFileSync(join(data, "keybrake.yaml"), yaml);
  return readConfig({ data }, {});
}

describe("currency_rates", () => {
  test("are dollars for one unit, with their day or without", () => {
    const config = configOf(
      "currency_rates:\n  eur: { usd: 1.10, as_of: 2026-11-01 }\n  gbp: 1.3\n  jpy: { usd: 0.0067 }",
    );
    expect([...config.currencyRates]).toEqual([
      ["eur", 1_100_000n],
      ["gbp", 1_300_000n],
      ["jpy", 6_700n],
    ]);
    expect([...config.currencyRateDates]).toEqual([["eur", "2026-11-01"]]);
  });

  test.each([
    ["a currency that there is not", "xxx: 1", "currency_rates.xxx is 1; it must be under a three-letter currency"],
    ["capitals", "EUR: 1", "currency_rates.EUR is 1"],
    ["dollars, which have no rate", "usd: 1", "other than usd"],
    ["0, at which every call would be free", "eur: 0", "currency_rates.eur is 0; it must be dollars above 0"],
    ["0 with a day", "eur: { usd: 0, as_of: 2026-11-01 }", "it must be dollars above 0"],
    ["a negative rate", "eur: -1", "currency_rates.eur is -1"],
    ["a rate of seven decimals", "eur: 1.1000001", "up to six decimals"],
    ["a map without a rate", "eur: { as_of: 2026-11-01 }", "currency_rates.eur.usd"],
    ["a day that there is not", "eur: { usd: 1, as_of: 2026-02-30 }", "it must be a day like 2026-11-01"],
    ["a day in another order", "eur: { usd: 1, as_of: 01.11.2026 }", "it must be a day like 2026-11-01"],
    ["a time", "eur: { usd: 1, as_of: 2026-11-01T10:00:00Z }", "it must be a day like 2026-11-01"],
    ["a misspelt word", "eur: { usd: 1, as_off: 2026-11-01 }", "currency_rates.eur.as_off is not a setting"],
    ["a list", "eur: [1]", "currency_rates.eur"],
  ])("refuse %s", (_title, rate, message) => {
    expect(() => configOf(`currency_rates:\n  ${rate}`)).toThrow(message);
  });
});

describe("prices", () => {
  const ACME = `vendors:
  acme:
    title: Acme
    origin: https://api.acme.example
    credential: { scheme: bearer }
    operations: [{ name: images.create, route: POST /images, class: priced, price: { usd: 0.04 } }]
`;

  test("are of Keybrake's own vendors and of those that the file declares", () => {
    const { prices } = configOf(
      `${ACME}prices:\n  acme: { acme.images.create: 0.03 }\n  resend: { resend.email: 0 }\n`,
    );
    expect(prices.get("acme")).toEqual(new Map([["acme.images.create", 30_000n]]));
    expect(prices.get("resend")).toEqual(new Map([["resend.email", 0n]]));
    expect(configOf("listen: 127.0.0.1:7878").prices.size).toBe(0);
  });

  test("keep Keybrake from starting where one is misspelt, by file, line and column", () => {
    expect(() => configOf(`${ACME}prices:\n  acme: { acme.image.create: 0.03 }\n`)).toThrow(
      /keybrake\.yaml:8:11: prices\.acme: Acme has no price "acme\.image\.create"; did you mean acme\.images\.create\?$/,
    );
  });
});

describe("alerts", () => {
  test("are targets by name, with places for their secrets", () => {
    const { alerts } = configOf(
      [
        "alerts:",
        "  run_cost_over: 250",
        "  webhook: { ops: { url: 'https://a.example/', secret_file: /s }, in: { url_env: U, secret_env: S, private: true } }",
        "  slack: { team: { url_file: /u } }",
      ].join("\n"),
    );
    expect(alerts).toEqual({
      runCostMicros: 250_000_000n,
      targets: [
        { type: "webhook", name: "ops", url: "https://a.example/", secret: { file: "/s" }, isPrivate: false },
        { type: "webhook", name: "in", url: { environment: "U" }, secret: { environment: "S" }, isPrivate: true },
        { type: "slack", name: "team", url: { file: "/u" }, isPrivate: false },
      ],
    });
    expect(configOf("").alerts).toEqual({ targets: [], runCostMicros: undefined });
  });

  test.each([
    ["a webhook without a secret", "webhook: { a: { url: 'https://a' } }", "alerts.webhook.a.secret_file is"],
    ["a secret in clear", "webhook: { a: { url: 'https://a', secret_env: S, secret: x } }", "secret is not a setting"],
    ["Slack's URL in clear", "slack: { a: { url: 'https://a' } }", "alerts.slack.a.url_file is"],
    ["two places", "slack: { a: { url_env: U, url_file: /f } }", "alerts.slack.a.url_env is"],
    [
      "one name twice",
      "{ slack: { a: { url_env: U } }, webhook: { a: { url_env: U, secret_env: S } } }",
      "a webhook's: a",
    ],
    ["a name that is none", "slack: { A b: { url_env: U } }", "under a name of at most 40"],
    ["another kind of target", "pager: { a: 1 }", "alerts.pager is not a setting"],
    ["an amount that is none", "run_cost_over: much", "alerts.run_cost_over is"],
  ])("refuses %s", (_, setting, message) => {
    expect(() => configOf(`alerts:\n  ${setting}`)).toThrow(message);
  });
});

describe("tls_cert and tls_key", () => {
  test("come together, from flags, variables and the file in this order", () => {
    const file = { certFile: "/a.crt", keyFile: "/a.key" };
    const config = configOf("tls_cert: /a.crt\ntls_key: /a.key");
    expect(config.tls).toEqual(file);
    const { dataDir: data } = config;
    const variables = { KEYBRAKE_TLS_CERT: "/b.crt", KEYBRAKE_TLS_KEY: "/b.key" };
    expect(readConfig({ data }, variables).tls).toEqual({ certFile: "/b.crt", keyFile: "/b.key" });
    expect(readConfig({ data, tlsCert: "/c.crt" }, variables).tls).toEqual({ certFile: "/c.crt", keyFile: "/b.key" });
  });

  test("make the address that agents are told an https one, where none is set", () => {
    expect(configOf("tls_cert: a\ntls_key: b").publicUrl).toBe("https://127.0.0.1:7878");
    expect(configOf("tls_cert: a\ntls_key: b\npublic_url: https://k.example/").publicUrl).toBe("https://k.example");
    expect(configOf("").publicUrl).toBe("http://127.0.0.1:7878");
  });

  test.each([
    ["tls_cert: a", "there is a TLS certificate and no --tls-key"],
    ["tls_key: a", "there is a TLS key and no --tls-cert"],
    ["tls_cert: [a]\ntls_key: b", "tls_cert is"],
  ])("refuse %j", (yaml, message) => {
    expect(() => configOf(yaml)).toThrow(message);
  });
});

test("a setting of the file that a flag or a variable stands above is no unknown one", () => {
  const yaml =
    "listen: 127.0.0.1:1\nadmin_listen: 127.0.0.1:2\nstore: 'sqlite:'\npublic_url: http://a.example\nbehind_tls_proxy: false";
  const { dataDir: data } = configOf(yaml);
  const flags = { data, listen: "127.0.0.1:3", store: "sqlite:", behindTlsProxy: true };
  const variables = { KEYBRAKE_ADMIN_LISTEN: "127.0.0.1:4", KEYBRAKE_PUBLIC_URL: "http://b.example" };
  expect(readConfig(flags, variables)).toMatchObject({
    listen: { port: 3 },
    adminListen: { port: 4 },
    publicUrl: "http://b.example",
    behindTlsProxy: true,
  });
});
