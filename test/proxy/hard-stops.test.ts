import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { HardStops, startHardStops } from "../../src/proxy/hard-stops.ts";
import type { FlyingCall } from "../../src/proxy/in-flight.ts";
import { InFlight } from "../../src/proxy/in-flight.ts";
import type { RecordedHardStop } from "../../src/store/store.ts";
import { type HandClock, handClock } from "../harness/plane.ts";

const EVERYTHING = { vendor: null, label: null, labelPrefix: null };

let stored: RecordedHardStop[];
let reads: number;
let broken: boolean;
let logged: string[];
let elapsedMs: number;
let inFlight: InFlight;
let stops: HardStops;
let watched: ConstructorParameters<typeof HardStops>[0];

beforeEach(() => {
  [stored, reads, broken, logged, elapsedMs] = [[], 0, false, [], 0];
  inFlight = new InFlight();
  const clock: HandClock = { ...handClock(), elapsed: () => elapsedMs };
  const hardStopsSince = (seq: number) => {
    reads += 1;
    if (broken) return Promise.reject(new Error("the disk is gone"));
    return Promise.resolve(stored.filter((stop) => stop.seq > seq));
  };
  const log = { info: (event: string) => logged.push(event), error: (event: string) => logged.push(event) };
  watched = { store: { hardStopsSince } as never, clock, log, inFlight };
  stops = new HardStops(watched, 0);
});
afterEach(() => void jest.useRealTimers());

function fly(seq: number, keyId = "vk_1"): FlyingCall {
  const call = { callId: `call_${seq}`, seq, keyId, label: null, vendor: "stripe", abort: new AbortController() };
  inFlight.add(call);
  return call;
}

const everything = (seq: number, lastCallSeq: number): RecordedHardStop => ({
  seq,
  lastCallSeq,
  keyIds: [],
  scope: EVERYTHING,
});

test("aborts the calls that a stop of another process concerns, and no other", async () => {
  const [mine, other] = [fly(1, "vk_1"), fly(2, "vk_2")];
  stored.push({ seq: 1, lastCallSeq: 2, keyIds: ["vk_2"], scope: null });
  await stops.poll();
  expect([mine.abort.signal.aborted, other.abort.signal.aborted]).toEqual([false, true]);
  expect(logged).toEqual(["calls_aborted"]);
});

test("asks the store only while a call is in flight", async () => {
  await stops.poll();
  expect(reads).toBe(0);
  fly(1);
  await stops.poll();
  expect(reads).toBe(1);
});

test("leaves calls alone that came after the stop, also where it is read only then", async () => {
  stored.push(everything(1, 5));
  const later = fly(6);
  await stops.poll();
  expect(later.abort.signal.aborted).toBe(false);
});

test("still aborts a call that was held before the stop and reaches its vendor after it was read", async () => {
  fly(1);
  stored.push(everything(1, 2));
  await stops.poll();
  const late = fly(2);
  elapsedMs += 1_000;
  await stops.poll();
  expect(late.abort.signal.aborted).toBe(true);
});

test("reads on after a store that failed, and says so once", async () => {
  const call = fly(1);
  broken = true;
  stored.push(everything(1, 1));
  await stops.poll();
  await stops.poll();
  expect(logged).toEqual(["hard_stops_unread"]);
  broken = false;
  await stops.poll();
  expect(call.abort.signal.aborted).toBe(true);
});

test("aborts within half a second of a stop: the rest of the second is the operator's command's", async () => {
  jest.useFakeTimers();
  const end = await startHardStops(watched);
  const call = fly(1);
  stored.push(everything(1, 1));
  jest.advanceTimersByTime(500);
  // What the store is asked for is there after some turns, and nothing waits for the clock.
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  expect(call.abort.signal.aborted).toBe(true);
  end();
});
