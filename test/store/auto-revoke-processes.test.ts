import { expect, test } from "bun:test";
import { holdOf, NOON } from "../ledger/entries.ts";
import { issue, keyRecord } from "./records.ts";
import { openTemporaryStore } from "./temporary-database.ts";
import { startWorker } from "./worker.ts";

const KEYS = 10;
const HITS = 5;
const RUNS = 3;

test("of three processes, two of them killed at work, each key is revoked once and no refusal counts twice or not at all", async () => {
  for (let run = 0; run < RUNS; run++) {
    const { store, path, close } = await openTemporaryStore();
    // The second half would be revoked by one refusal that is counted twice.
    const ids: string[] = [];
    for (let key = 0; key < 2 * KEYS; key++) {
      const auto_revoke = [{ cap_hits: key < KEYS ? HITS : HITS + 1, within: "1h" }];
      ids.push((await issue(store, { policy: { ...keyRecord().policy, auto_revoke } })).id);
    }
    const workers = [1, 2, 3].map(() => startWorker("auto-revoke-loop.ts", path));
    for (const worker of workers) expect(await worker.line()).toBe("ready");
    for (const worker of workers) worker.go();
    const refusal = { code: "cap_exceeded", rule: "daily_usd_cap" } as const;
    for (let hit = 0; hit < HITS; hit++) {
      await store.apply(
        ids.map((id) => holdOf(id, 1, { refusal })),
        NOON,
      );
      const victim = hit % 2 === 1 && workers[(hit - 1) / 2];
      await Bun.sleep(0);
      if (victim) victim.kill();
    }
    const [first, second, last] = workers as [(typeof workers)[0], (typeof workers)[0], (typeof workers)[0]];
    const printed = [...(await first.rest()), ...(await second.rest())];
    const isRevoked = async (id: string) => (await store.getKey(id))!.revokedAt !== null;
    for (const id of ids.slice(0, KEYS)) while (!(await isRevoked(id))) await Bun.sleep(5);
    const counted = async (id: string) =>
      (await store.alertTallies("cap_hits", id, 0)).reduce((sum, { amount }) => sum + amount, 0n);
    for (const id of ids.slice(KEYS)) while ((await counted(id)) < BigInt(HITS)) await Bun.sleep(5);
    last.kill();
    printed.push(...(await last.rest()));
    for (const id of ids.slice(KEYS)) expect([await isRevoked(id), await counted(id)]).toEqual([false, BigInt(HITS)]);
    expect(new Set(printed).size).toBe(printed.length);
    expect((await store.untoldActs(1_000)).map(({ id }) => id).toSorted()).toEqual(ids.slice(0, KEYS).toSorted());
    await close();
  }
}, 60_000);
