import { expect, test } from "bun:test";
import { autoRevokeOnce } from "../../../src/alerts/auto-revoke-upkeep.ts";
import { type DispatcherOptions, dispatchDue, TAKEN_MS } from "../../../src/alerts/dispatcher.ts";
import { testNews } from "../../../src/alerts/news.ts";
import type { Store } from "../../../src/store/store.ts";
import { holdOf, NOON, resolutionOf } from "../../ledger/entries.ts";
import { issue, keyRecord } from "../records.ts";
import { type OpenStore, type StoreUnderTest, within } from "../store-under-test.ts";

const GOING_ON = new AbortController().signal;
const QUIET = { info: () => {}, error: () => {} };
const OPS = { type: "slack", name: "ops", url: { file: "/x" }, isPrivate: false } as const;

/** Three servers on one store: what they do beside calls is done once, and by another where one of them dies. */
export function turnConformance(open: OpenStore): void {
  test(
    "of three servers one sends an alert; one that dies with it in its hands leaves it to the others after a while",
    within(open, async (subject) => {
      const servers = await three(subject);
      await servers[0].queueAlert({ news: [1, 2, 3, 4, 5, 6].map(testNews), targets: ["ops"], at: NOON });
      const lost = await servers[0].takeDelivery("ops", NOON, NOON + TAKEN_MS);
      const sent: number[] = [];
      await Promise.all(servers.map((store) => dispatchDue(dispatcher(store, NOON, sent), GOING_ON)));
      expect(sent.toSorted()).toEqual([2, 3, 4, 5, 6]);
      await servers[0].close();
      const left = servers.slice(1);
      await Promise.all(left.map((store) => dispatchDue(dispatcher(store, NOON + TAKEN_MS - 1, sent), GOING_ON)));
      expect(sent).toHaveLength(5);
      await Promise.all(left.map((store) => dispatchDue(dispatcher(store, NOON + TAKEN_MS, sent), GOING_ON)));
      expect(sent.slice(5)).toEqual([lost!.event.at]);
      const [first] = (await servers[1].listDeliveries(10)).toReversed();
      expect(first).toMatchObject({ event: { at: lost!.event.at }, state: "delivered", attempts: 2 });
    }),
  );

  test(
    "of three servers one revokes a key by its own rule, and no refusal counts twice or not at all",
    within(open, async (subject) => {
      const servers = await three(subject);
      const keyWith = async (cap_hits: number) => {
        const policy = { ...keyRecord().policy, auto_revoke: [{ cap_hits, within: "1h" }] };
        return (await issue(servers[0], { policy })).id;
      };
      const [revoked, kept] = [await keyWith(5), await keyWith(6)];
      const refusal = { code: "cap_exceeded", rule: "daily_usd_cap" } as const;
      const told: unknown[] = [];
      const log = { info: (_: string, fields?: object) => void told.push(fields), error: () => {} };
      for (let hit = 0; hit < 5; hit++) {
        const refused = [revoked, kept].map((id) => holdOf(id, 1, { refusal }));
        await servers[0].apply(refused, NOON);
        // Whoever has read a slice and dies with it has counted nothing.
        await servers[hit % 3]!.readRevokeSlice(3, NOON);
        const options = { clock: { now: () => NOON }, log, rowsPerSlice: 3, pause: async () => {} };
        await Promise.all(servers.map((store) => autoRevokeOnce({ ...options, store }, GOING_ON)));
      }
      await autoRevokeOnce({ store: servers[2], clock: { now: () => NOON }, log, pause: async () => {} }, GOING_ON);
      expect(told).toMatchObject([{ key: revoked }]);
      expect((await servers[1].getKey(kept))!.revokedAt).toBeNull();
      const counted = await servers[1].alertTallies("cap_hits", kept, 0);
      expect(counted.reduce((sum, { amount }) => sum + amount, 0n)).toBe(5n);
      expect((await servers[1].untoldActs(10)).map(({ id }) => id)).toEqual([revoked]);
    }),
  );

  test(
    "of three servers that prune one removes a row, and the next ones go on with another when it is gone",
    within(open, async (subject) => {
      const servers = await three(subject);
      const { id } = await issue(servers[0]);
      for (let call = 0; call < 6; call++) {
        const hold = holdOf(id, 1);
        await servers[0].apply([hold], NOON);
        await servers[0].apply([resolutionOf(hold.facts.id, "settled", 1)], NOON);
      }
      const prune = async (stores: readonly Store[]) => {
        const rows = await stores[0]!.chainRows(0n, 3);
        const removed = await Promise.all(stores.map((store) => store.pruneAudit(rows, 100, NOON).catch(() => false)));
        return removed.filter(Boolean).length;
      };
      expect(await prune(servers)).toBe(1);
      await servers[0].close();
      expect(await prune(servers.slice(1))).toBe(1);
      expect(await servers[1].chainRows(0n, 10)).toEqual([]);
      expect(await servers[2].auditSegments()).toMatchObject([{ firstChainSeq: 1, lastChainSeq: 6 }]);
      expect(await servers[2].checkCounters()).toEqual([]);
    }),
  );
}

async function three({ store, reopen }: StoreUnderTest): Promise<readonly [Store, Store, Store]> {
  const stores = [store, await reopen(), await reopen()] as const;
  const key = new Uint8Array(32).fill(7);
  for (const each of stores) each.useChainKey(key);
  return stores;
}

function dispatcher(store: Store, now: number, sent: number[]): DispatcherOptions {
  const post: DispatcherOptions["post"] = async (_, { at }) => {
    sent.push(at);
    return { httpStatus: 200, problem: null };
  };
  return { store, clock: { now: () => now }, log: QUIET, targets: [OPS], post };
}
