import { beforeEach, describe, expect, test } from "bun:test";
import { SharedReading } from "../../src/telemetry/reading.ts";
import { TestClock } from "../operate/installed.ts";

let clock: TestClock;
let reads: number;
let answer: () => Promise<string>;
let failures: unknown[];
let reading: SharedReading<string>;

beforeEach(() => {
  clock = new TestClock();
  reads = 0;
  failures = [];
  answer = async () => `reading ${reads}`;
  const options = { freshMs: 100, usableMs: 1_000, waitMs: 5, onFailure: (cause: unknown) => failures.push(cause) };
  reading = new SharedReading(clock, options, () => {
    reads += 1;
    return answer();
  });
});

test("a thousand who ask share one reading, and later ones get it while it is fresh", async () => {
  const all = await Promise.all(Array.from({ length: 1_000 }, () => reading.get()));
  expect(new Set(all)).toEqual(new Set(["reading 1"]));
  clock.nowMs += 99;
  expect(await reading.get()).toBe("reading 1");
  clock.nowMs += 1;
  expect(await reading.get()).toBe("reading 2");
});

describe("a reading that does not end", () => {
  beforeEach(async () => {
    await reading.get();
    clock.nowMs += 200;
    answer = () => new Promise(() => {});
  });

  test("keeps nobody: who asks gets the one before, while that is usable", async () => {
    expect(await reading.get()).toBe("reading 1");
    clock.nowMs += 800;
    expect(await reading.get()).toBeUndefined();
  });

  test("is not begun again by everybody who asks", async () => {
    for (let asked = 0; asked < 5; asked++) await reading.get();
    expect(reads).toBe(2);
  });
});

test("what cannot be read is a gap, is said why, and comes back", async () => {
  answer = () => Promise.reject(new Error("the disk is full"));
  expect(await reading.get()).toBeUndefined();
  expect(failures).toEqual([new Error("the disk is full")]);
  answer = async () => "back";
  clock.nowMs += 100;
  expect(await reading.get()).toBe("back");
});
