import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../harness/free-port.ts";
import { type Bench, eventually, type IssuedKey, makeBench, type RunningKeybrake } from "../harness/keybrake.ts";
import { type MetricsText, readMetrics } from "../harness/metrics-text.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { setVendor } from "../harness/vendor-account.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

let bench: Bench;
let vendor: VendorDouble;

beforeAll(async () => {
  vendor = await startVendorDouble(succeededIntent);
});
afterAll(() => vendor.stop());
beforeEach(async () => {
  bench = await makeBench();
  await setVendor(bench, "stripe", { origin: vendor.origin, secret: "sk_test_real_secret" });
});
afterEach(() => bench.stop());

function issue(label: string): Promise<IssuedKey> {
  const caps = ["--daily-usd-cap", "40", "--allowed-endpoints", "POST /v1/payment_intents", "--expires-in", "1h"];
  return bench.json<IssuedKey>(["key", "issue", "--vendor", "stripe", ...caps, "--label", label]);
}

async function pay(server: RunningKeybrake, token: string, path = "/stripe/v1/payment_intents"): Promise<number> {
  const response = await fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/x-www-form-urlencoded" },
    body: "amount=2000&currency=usd&confirm=true&payment_method=pm_card_visa",
  });
  await response.arrayBuffer();
  return response.status;
}

/** The first page on which `holds`; one that is asked for may be a second old. */
function pageWhere(url: string, holds: (page: MetricsText["series"]) => boolean): Promise<MetricsText> {
  return eventually(async () => {
    const response = await fetch(`${url}/metrics`);
    if (response.status !== 200) return undefined;
    const page = readMetrics(await response.text());
    return holds(page.series) ? page : undefined;
  });
}

const calls = (verdict: string) => `keybrake_calls_total{vendor="stripe",verdict="${verdict}"}`;

describe("with an address for operators", () => {
  test("agents cannot read the metrics at theirs, and operators read there what calls came to", async () => {
    const { vault_key: token } = await issue("run/1");
    const port = await freePort();
    const server = await bench.serve(["--admin-listen", `127.0.0.1:${port}`]);
    for (let call = 0; call < 3; call++) await pay(server, token);
    const refused = await fetch(`${server.url}/metrics`);
    expect(refused.status).toBe(401);
    expect(await refused.text()).not.toContain("keybrake_calls_total");
    const spent = 'keybrake_settled_usd_total{vendor="stripe"}';
    // The last settlement rides with the next commit.
    const { series } = await pageWhere(`http://127.0.0.1:${port}`, (page) => page.get(spent) === 40);
    expect(Object.fromEntries(series)).toMatchObject({
      [calls("allowed")]: 2,
      [calls("cap_exceeded")]: 1,
      keybrake_store_up: 1,
      keybrake_active_keys: 1,
      'keybrake_connections{listener="admin"}': expect.any(Number),
    });
  });
});

describe("labels", () => {
  test("stay bounded with a thousand keys, members of a family, and hostile paths and names", async () => {
    const policies = join(bench.dataDir, "policies");
    mkdirSync(policies, { recursive: true });
    const family = '{ name: per-tenant, match: { label_prefix: "tenant:*:" }, daily_usd_cap: 20 }';
    writeFileSync(join(policies, "budgets.yaml"), `budgets: [${family}]\n`);
    const server = await bench.serve();
    const admin = /kb_admin_\w+/.exec(server.output())![0];
    const keys: string[] = [];
    for (let from = 0; from < 1_000; from += 100) {
      const slice = Array.from({ length: 100 }, (_, index) => issueByApi(server, admin, from + index));
      keys.push(...(await Promise.all(slice)));
    }
    const paths = [
      '/stripe/v1/x"}%20evil',
      "/evil%22%7D/v1/x",
      "/stripe/v1/payment_intents",
      `/stripe/${"a".repeat(900)}`,
    ];
    for (let from = 0; from < 200; from += 20) {
      await Promise.all(
        keys.slice(from, from + 20).map((token, index) => pay(server, token, paths[(from + index) % paths.length]!)),
      );
    }
    const near = 'keybrake_budget_members_near_cap{budget="per-tenant",cap="daily_usd_cap",percent="100"}';
    const { series } = await pageWhere(server.url, (page) => page.get("keybrake_keys_looked_at") === 1_000);
    expect(series.get(near)).toBe(50);
    expect(series.size).toBeLessThan(250);
    const said = [...series.keys()].join("\n");
    for (const word of ["evil", "tenant:", "aaa", "vk_", "vault_key", "/v1"]) expect(said).not.toContain(word);
  });
});

async function issueByApi(server: RunningKeybrake, admin: string, index: number): Promise<string> {
  const response = await fetch(`${server.url}/vault/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${admin}`, "content-type": "application/json" },
    body: JSON.stringify({
      vendor: "stripe",
      daily_usd_cap: 20,
      allowed_endpoints: ["POST /v1/payment_intents"],
      expires_in: "1h",
      agent_run_label: `tenant:t${index}"}:run`,
    }),
  });
  expect(response.status).toBe(201);
  return ((await response.json()) as { vault_key: string }).vault_key;
}

describe("a store that cannot be written", () => {
  async function readiness(server: RunningKeybrake, wanted: number): Promise<string> {
    return eventually(async () => {
      const response = await fetch(`${server.url}/readyz`);
      const text = await response.text();
      return response.status === wanted ? text : undefined;
    });
  }

  async function expectDown(server: RunningKeybrake, why: RegExp): Promise<void> {
    expect(await readiness(server, 503)).toMatch(why);
    const { series } = await pageWhere(server.url, (page) => page.get("keybrake_store_up") === 0);
    expect(series.has("keybrake_unresolved_calls")).toBe(false);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  }

  async function expectUp(server: RunningKeybrake): Promise<void> {
    await readiness(server, 200);
    await pageWhere(server.url, (page) => page.get("keybrake_store_up") === 1);
  }

  test.skipIf(Bun.which("prlimit") === null)(
    "for a full disk: not ready, and says so; ready again with room",
    async () => {
      // A limit on the size of files is a full disk to whoever writes; the signal that comes with it is not part of one.
      const server = await bench.serve([], bench.port, ["/bin/sh", "-c", 'trap "" XFSZ; exec "$@"', "sh"]);
      const limit = (bytes: number | "unlimited") =>
        Bun.spawnSync(["prlimit", "--pid", String(server.pid), `--fsize=${bytes}:`]).exitCode;
      await expectUp(server);
      expect(limit(statSync(join(bench.dataDir, "keybrake.db-wal")).size)).toBe(0);
      await expectDown(server, /the store cannot be used/);
      expect(limit("unlimited")).toBe(0);
      await expectUp(server);
    },
  );

  test("for a database that was taken away: not ready until it is back", async () => {
    const server = await bench.serve();
    const path = join(bench.dataDir, "keybrake.db");
    await expectUp(server);
    renameSync(path, `${path}.away`);
    await expectDown(server, /is gone/);
    renameSync(`${path}.away`, path);
    await expectUp(server);
  });
});
