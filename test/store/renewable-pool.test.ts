import { expect, test } from "bun:test";
import type { SQL } from "bun";
import { LinkLost } from "../../src/store/postgres/link.ts";
import { RenewablePool, verbsOver } from "../../src/store/postgres/renewable-pool.ts";

const LIMIT_MS = 5;
const never = () => new Promise<never>(() => {});

/** Pools with a number each, and which of them were closed. */
function pools() {
  let opened = 0;
  const closed: number[] = [];
  let now = 0;
  const open = () => {
    const number = ++opened;
    return { number, close: async () => void closed.push(number) } as unknown as SQL;
  };
  return { pool: new RenewablePool(open, () => ++now), closed };
}
const numberOf = (pool: SQL) => (pool as unknown as { number: number }).number;

test("connections that answer nobody are replaced, and those who wait for them are told", async () => {
  const { pool, closed } = pools();
  await expect(pool.use(never, LIMIT_MS)).rejects.toThrow(LinkLost);
  expect(closed).toEqual([1]);
  expect(await pool.use(async (current) => numberOf(current), LIMIT_MS)).toBe(2);
});

test("one of them that is silent is given up alone, where others were answered meanwhile", async () => {
  const { pool, closed } = pools();
  const silent = pool.use(never, LIMIT_MS);
  await pool.use(async () => {}, LIMIT_MS);
  await expect(silent).rejects.toThrow(LinkLost);
  expect(closed).toEqual([]);
  expect(numberOf(pool.current)).toBe(1);
});

test("many that wait for the same connections have them replaced once", async () => {
  const { pool, closed } = pools();
  const waiting = await Promise.allSettled([never, never, never].map((work) => pool.use(work, LIMIT_MS)));
  expect(waiting.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(closed).toEqual([1]);
});

test("verbs are made anew for new connections, and only then", async () => {
  const { pool } = pools();
  const made: number[] = [];
  const verbs = verbsOver(pool, LIMIT_MS, (current) => {
    made.push(numberOf(current));
    return { number: async () => numberOf(current), hang: never };
  });
  expect([await verbs.number(), await verbs.number()]).toEqual([1, 1]);
  await expect(verbs.hang()).rejects.toThrow(LinkLost);
  expect([await verbs.number(), await verbs.number()]).toEqual([2, 2]);
  expect(made).toEqual([1, 2]);
});
