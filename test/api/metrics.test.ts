import { afterEach, describe, expect, test } from "bun:test";
import type { Config } from "../../src/config.ts";
import { type Served, serve } from "./served.ts";

let served: Served;
afterEach(() => served.close());

const PAGE = "keybrake_store_up 1\n";

test("anyone who reaches the address may read the metrics, as Prometheus asks for them", async () => {
  served = await serve();
  const answer = await served.call("GET", "/metrics", { token: null });
  expect(answer).toMatchObject({ status: 200, text: PAGE });
  expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(answer.headers.get("cache-control")).toBe("no-store");
});

test("no page of another site reads them: by a name of its own, or from its origin", async () => {
  served = await serve();
  const rebound = { token: null, headers: { host: "evil.example:7878" } };
  expect((await served.call("GET", "/metrics", rebound)).status).toBe(421);
  const foreign = { token: null, headers: { origin: "https://evil.example" } };
  expect((await served.call("GET", "/metrics", foreign)).status).toBe(403);
});

test("metrics that cannot be read in time are a 503, not an empty page", async () => {
  served = await serve({}, { metrics: { text: async () => undefined } });
  expect((await served.call("GET", "/metrics", { token: null })).status).toBe(503);
});

describe("with metrics.access: token", () => {
  const config: Partial<Config> = { metricsAccess: "token" };

  test.each([
    ["nobody", 401],
    ["a vault key", 403],
    ["issuer", 403],
    ["auditor", 200],
    ["admin", 200],
  ] as const)("%s is answered %i", async (who, status) => {
    served = await serve({ config });
    const body = { vendor: "stripe", expires_in: "1h", allowed_endpoints: ["GET /v1/customers/*"] };
    const vaultKey = (await served.call("POST", "/vault/keys", { body })).json.vault_key;
    const tokens = { ...served.tokens, nobody: null, "a vault key": vaultKey };
    expect((await served.call("GET", "/metrics", { token: tokens[who] })).status).toBe(status);
  });

  test("the other open routes stay open", async () => {
    served = await serve({ config });
    expect((await served.call("GET", "/healthz", { token: null })).status).toBe(200);
  });
});
