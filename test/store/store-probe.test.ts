import { beforeEach, expect, test } from "bun:test";
import { Problem } from "../../src/core/problem.ts";
import { StoreProbe } from "../../src/store/store-probe.ts";
import { TestClock } from "../operate/installed.ts";

let clock: TestClock;
let writes: number;
let write: () => Promise<void>;
let probe: StoreProbe;

beforeEach(() => {
  clock = new TestClock();
  writes = 0;
  write = async () => {};
  const probeWrite = () => {
    writes += 1;
    return write();
  };
  probe = new StoreProbe({ probeWrite }, clock);
});

test("however many ask, and for whatever, it is one write a second", async () => {
  for (let asked = 0; asked < 500; asked++) await Promise.all([probe.assertWritable(), probe.isWritable()]);
  expect(writes).toBe(1);
  clock.nowMs += 1_000;
  await probe.isWritable();
  expect(writes).toBe(2);
});

test("a write that fails is told to all who ask within the second, and forgotten after it", async () => {
  write = () => Promise.reject(new Problem("unavailable", "the disk is full"));
  expect(probe.assertWritable()).rejects.toThrow("the disk is full");
  expect(await probe.isWritable()).toBe(false);
  write = async () => {};
  expect(await probe.isWritable()).toBe(false);
  clock.nowMs += 1_000;
  expect(await probe.isWritable()).toBe(true);
});
