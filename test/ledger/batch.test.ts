import { describe, expect, test } from "bun:test";
import { type BatcherOptions, LedgerBatcher } from "../../src/ledger/batch.ts";
import { holdOf, NOON, resolutionOf, usd } from "./entries.ts";
import { FakeStore, namesOf } from "./fake-store.ts";

function batcher(options: Partial<BatcherOptions> = {}) {
  const store = new FakeStore();
  const failures: unknown[] = [];
  const ledger = new LedgerBatcher(
    store,
    { now: () => NOON, elapsed: () => 0 },
    {
      resolveDelayMs: 0,
      patienceMs: 5_000,
      retryDelayMs: 0,
      entriesMax: 8,
      onFailure: (cause) => failures.push(cause),
      ...options,
    },
  );
  const hold = (id: string) => ledger.hold(holdOf("vk_1", 1, { facts: { id } }));
  const resolve = (id: string) => ledger.resolve(resolutionOf(id, "settled", 1));
  return { store, ledger, hold, resolve, failures };
}

describe("group commit", () => {
  test("commits together what arrives together, and answers each caller with its own result", async () => {
    const { store, hold, resolve } = batcher();
    const answers = [resolve("r1"), hold("h1"), hold("h2")];
    const commit = await store.next();
    expect(namesOf(commit)).toBe("r1 h1 h2");
    commit.succeed();
    expect(await Promise.all(answers)).toMatchObject([{ resolved: true }, { admitted: true }, { admitted: true }]);
    expect(store.commitCount).toBe(1);
  });

  test("makes the next batch of all that arrives during a commit, and never commits two at once", async () => {
    const { store, hold, resolve } = batcher();
    hold("h1");
    const first = await store.next();
    hold("h2");
    resolve("r1");
    hold("h3");
    await new Promise((done) => setTimeout(done, 1));
    expect(store.commitCount).toBe(1);
    first.succeed();
    expect(namesOf(await store.next())).toBe("r1 h2 h3");
  });

  test("answers nobody before the commit is made", async () => {
    const { store, hold } = batcher();
    let answered = false;
    const answer = hold("h1").then(() => {
      answered = true;
    });
    const commit = await store.next();
    await new Promise((done) => setImmediate(done));
    expect(answered).toBe(false);
    commit.succeed();
    await answer;
  });

  test("puts no more than entriesMax into one commit, holds and resolutions together", async () => {
    const { store, hold, resolve } = batcher({ entriesMax: 4 });
    for (let i = 0; i < 7; i++) resolve(`r${i}`);
    for (let i = 0; i < 5; i++) hold(`h${i}`);
    const sizes: string[] = [];
    for (let i = 0; i < 3; i++) {
      const commit = await store.next();
      sizes.push(namesOf(commit));
      commit.succeed();
    }
    expect(sizes).toEqual(["r0 r1 h0 h1", "r2 r3 h2 h3", "r4 r5 r6 h4"]);
  });

  test("commits a resolution without any hold to ride with", async () => {
    const { store, resolve } = batcher();
    const answer = resolve("r1");
    (await store.next()).succeed();
    expect(await answer).toEqual({ resolved: true, costMicros: usd(1) });
  });

  test("commits a resolution whose delay ran out during a slow commit", async () => {
    const { store, hold, resolve } = batcher();
    hold("h1");
    const slow = await store.next();
    resolve("r1");
    await new Promise((done) => setTimeout(done, 2));
    slow.succeed();
    expect(namesOf(await store.next())).toBe("r1");
  });
});

describe("a commit that fails", () => {
  const fault = new Error("disk full");

  test("refuses its holds, keeps its resolutions and tells the operator", async () => {
    const { store, hold, resolve, failures, ledger } = batcher();
    const refused = hold("h1");
    const kept = resolve("r1");
    (await store.next()).fail(fault);
    await expect(refused).rejects.toBe(fault);
    expect(failures).toEqual([fault]);
    expect(ledger.queueLength).toBe(1);
    (await store.next()).succeed();
    expect(await kept).toMatchObject({ resolved: true });
    expect(ledger.queueLength).toBe(0);
  });

  test("has its resolutions tried one by one, so that one that can never be written holds up no other", async () => {
    const { store, resolve, failures } = batcher();
    const done: string[] = [];
    for (const id of ["r1", "poison", "r2"]) resolve(id).then(() => done.push(id));
    (await store.next()).fail(fault);
    while (done.length < 2) {
      const commit = await store.next();
      expect(commit.entries).toHaveLength(1);
      if (namesOf(commit) === "poison") commit.fail(fault);
      else commit.succeed();
      await new Promise((wake) => setImmediate(wake));
    }
    expect(done).toEqual(["r1", "r2"]);
    expect(failures.length).toBeGreaterThanOrEqual(2);
  });

  test("costs no later call anything: a resolution that can never be written is never in a commit with another", async () => {
    const { store, hold, resolve } = batcher();
    resolve("poison");
    (await store.next()).fail(fault);
    const answers: Promise<unknown>[] = [];
    for (let i = 0; i < 4; i++) {
      answers.push(hold(`h${i}`), resolve(`r${i}`));
      for (let committed = false; !committed; ) {
        const commit = await store.next();
        if (namesOf(commit) === "poison") commit.fail(fault);
        else commit.succeed();
        committed = namesOf(commit).includes(`r${i}`);
        expect(namesOf(commit) === "poison" || !namesOf(commit).includes("poison")).toBe(true);
      }
    }
    expect(await Promise.all(answers)).toHaveLength(8);
  });

  test("refuses no hold that was not in it", async () => {
    const { store, hold } = batcher();
    const first = hold("h1");
    const failing = await store.next();
    const second = hold("h2");
    failing.fail(fault);
    await expect(first).rejects.toBe(fault);
    (await store.next()).succeed();
    expect(await second).toMatchObject({ admitted: true });
  });
});

describe("a hold that could never be written", () => {
  const IMPOSSIBLE = [{ exposureMicros: -1n }, { exposureMicros: 10n ** 18n + 1n }, { sends: -1 }, { sends: 0.5 }];
  for (const overrides of IMPOSSIBLE) {
    const [[name, value]] = Object.entries(overrides) as [[string, unknown]];
    test(`is refused alone, before it is in a batch: ${name} of ${value}`, async () => {
      const { store, ledger, hold } = batcher();
      await expect(ledger.hold(holdOf("vk_1", 1, overrides))).rejects.toThrow(RangeError);
      const innocent = hold("h1");
      const commit = await store.next();
      expect(namesOf(commit)).toBe("h1");
      commit.succeed();
      expect(await innocent).toMatchObject({ admitted: true });
    });
  }
});

describe("draining", () => {
  test("is over at once where nothing waits", async () => {
    await batcher().ledger.drain();
  });

  test("waits for the commit under way and for everything handed in, and not for any delay", async () => {
    const { store, ledger, hold, resolve } = batcher({ resolveDelayMs: 60_000 });
    hold("h1");
    const first = await store.next();
    resolve("r1");
    let drained = false;
    const drain = ledger.drain().then(() => {
      drained = true;
    });
    first.succeed();
    const second = await store.next();
    expect(namesOf(second)).toBe("r1");
    expect(drained).toBe(false);
    second.succeed();
    await drain;
    expect(ledger.queueLength).toBe(0);
  });

  test("waits out the pause after a failure, and does not hammer a store that fails", async () => {
    const { store, ledger, resolve } = batcher({ retryDelayMs: 60_000 });
    resolve("r1");
    (await store.next()).fail(new Error("disk full"));
    void ledger.drain();
    for (let i = 0; i < 20; i++) await new Promise((wake) => setImmediate(wake));
    expect(store.commitCount).toBe(1);
    expect(ledger.queueLength).toBe(1);
  });
});

describe("a settlement that changes no counter", () => {
  const charge = { budgetId: "b", windowStart: 0, unit: "usd", amount: usd(1) } as const;
  const receipt = { seq: 1, charges: [charge] };
  const settled = (id: string, dollars: number) => ({ ...resolutionOf(id, "settled", dollars), receipt });

  test("lets holds go first, and is on disk when its patience is over", async () => {
    const { store, ledger, hold } = batcher({ patienceMs: 3 });
    const answer = ledger.resolve(settled("r1", 1));
    hold("h1");
    const first = await store.next();
    expect(namesOf(first)).toBe("h1");
    first.succeed();
    const second = await store.next();
    expect(namesOf(second)).toBe("r1");
    second.succeed();
    expect(await answer).toMatchObject({ resolved: true });
  });

  test("goes with the next holds when there are many of its kind", async () => {
    const { store, ledger, hold } = batcher({ entriesMax: 200 });
    for (let index = 0; index < 64; index++) ledger.resolve(settled(`r${index}`, 1));
    hold("h1");
    expect(namesOf(await store.next()).split(" ")).toHaveLength(65);
  });

  test("goes with one that is not patient where no hold waits", async () => {
    const { store, ledger } = batcher();
    ledger.resolve(settled("r1", 1));
    ledger.resolve(settled("r2", 0));
    expect(namesOf(await store.next())).toBe("r2 r1");
  });

  test("is not kept back where it gives something free, or a repeat waits for it", async () => {
    const { store, ledger, hold } = batcher();
    ledger.resolve(settled("r1", 0));
    ledger.resolve({ ...settled("r2", 1), repeat: { slots: [], outcome: "unknown" } });
    ledger.resolve({ ...resolutionOf("r3", "released"), receipt });
    hold("h1");
    expect(namesOf(await store.next())).toBe("r1 r2 r3 h1");
  });

  test("is written by a drain at once", async () => {
    const { store, ledger } = batcher();
    ledger.resolve(settled("r1", 1));
    const drained = ledger.drain();
    const commit = await store.next();
    expect(namesOf(commit)).toBe("r1");
    commit.succeed();
    await drained;
    expect(ledger.queueLength).toBe(0);
  });
});
