import { expect, test } from "bun:test";
import { RollingUse } from "../../../src/operate/tuning/rolling-use.ts";

test("what was taken counts until just before a window later, and a correction of what has aged changes nothing", () => {
  const use = new RollingUse(100);
  use.add(1_000, 5n);
  use.add(1_000, 2n);
  use.add(1_050, 10n);
  use.correct(1_000, -3n);
  expect([use.at(1_050), use.at(1_099), use.at(1_100), use.isEmpty]).toEqual([14n, 14n, 10n, false]);
  use.correct(1_000, -4n);
  expect([use.at(1_149), use.at(1_150), use.isEmpty]).toEqual([10n, 0n, true]);
});

test("a call that came in earlier than the one before it counts from when it was decided", () => {
  const use = new RollingUse(100);
  use.add(1_040, 1n);
  use.add(1_000, 2n);
  expect([use.at(1_139), use.at(1_140)]).toEqual([3n, 0n]);
  use.add(1_200, 1n);
  use.add(1_190, 2n);
  use.correct(1_190, 3n);
  expect([use.at(1_100), use.at(1_299), use.at(1_300)]).toEqual([6n, 6n, 0n]);
});

test("says the same as a sum over all that was ever taken and corrected", () => {
  const use = new RollingUse(50);
  const taken: { at: number; amount: bigint }[] = [];
  let seed = 7;
  const below = (limit: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % limit;
  };
  for (let now = 1_000, step = 0; step < 2_000; step++, now += below(12)) {
    const some = taken[below(taken.length + 1)];
    if (some && below(3) === 0) {
      const delta = -some.amount / 2n;
      use.correct(some.at, delta);
      some.amount += delta;
    } else {
      const amount = BigInt(below(1_000));
      use.add(now, amount);
      taken.push({ at: now, amount });
    }
    const sum = taken.filter(({ at }) => at + 50 > now).reduce((all, { amount }) => all + amount, 0n);
    expect(use.at(now)).toBe(sum);
  }
});
