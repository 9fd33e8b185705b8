import { afterEach, beforeEach, expect, test } from "bun:test";
import { GIVE_UP_AFTER_MS } from "../../src/alerts/backoff.ts";
import { DegradedStore } from "../../src/alerts/degraded.ts";
import { type DispatcherOptions, dispatchDue, TAKEN_MS } from "../../src/alerts/dispatcher.ts";
import { testNews } from "../../src/alerts/news.ts";
import type { AlertTarget } from "../../src/core/alert-target.ts";
import { type Installed, install, START_MS } from "../operate/installed.ts";

const GOING_ON = new AbortController().signal;
const OK = { httpStatus: 200, problem: null };
const DOWN = { httpStatus: 500, problem: "answered 500" };
const QUIET = { info: () => {}, error: () => {} };
const target = (name: string): AlertTarget => ({ type: "slack", name, url: { file: "/x" }, isPrivate: false });

let installed: Installed;
let sent: string[];
let answer: (name: string) => typeof OK | typeof DOWN | Promise<typeof OK>;

beforeEach(async () => {
  installed = await install();
  sent = [];
  answer = () => OK;
});
afterEach(() => installed.close());

function options(names = ["ops"]): DispatcherOptions {
  const { store, clock } = installed;
  const post: DispatcherOptions["post"] = async ({ name }, { at }) => {
    sent.push(`${name} ${at}`);
    return answer(name);
  };
  return { store, clock, log: QUIET, targets: names.map(target), post };
}

async function queue(ids: readonly number[], targets = ["ops"]): Promise<void> {
  await installed.store.queueAlert({ news: ids.map(testNews), targets, at: installed.clock.nowMs });
}

async function states(): Promise<string[]> {
  const found = await installed.store.listDeliveries(100);
  return found.map(({ event, target: name, state, attempts }) => `${name} ${event.at} ${state} ${attempts}`);
}

test("events go out in the order in which they were found, each once", async () => {
  await queue([1, 2, 3]);
  await queue([2, 1]);
  await dispatchDue(options(), GOING_ON);
  await dispatchDue(options(), GOING_ON);
  expect(sent).toEqual(["ops 1", "ops 2", "ops 3"]);
});

test("one that fails is tried again by the schedule, the oldest first, and nothing is lost", async () => {
  await queue([1, 2]);
  answer = () => DOWN;
  const triedAt: number[] = [];
  for (let second = 0; second < 40; second++) {
    const before = sent.length;
    await dispatchDue(options(), GOING_ON);
    if (sent.slice(before).includes("ops 1")) triedAt.push((installed.clock.nowMs - START_MS) / 1000);
    installed.clock.nowMs += 1_000;
  }
  expect(triedAt).toEqual([0, 5, 15, 35]);
  answer = () => OK;
  installed.clock.nowMs += 60_000;
  sent = [];
  await dispatchDue(options(), GOING_ON);
  expect(sent).toEqual(["ops 1", "ops 2"]);
});

test("a target that is down does not keep the others waiting", async () => {
  await queue([1, 2], ["down", "up"]);
  answer = (name) => (name === "down" ? DOWN : OK);
  await dispatchDue(options(["down", "up"]), GOING_ON);
  expect(sent.filter((one) => one.startsWith("up"))).toEqual(["up 1", "up 2"]);
  expect(await states()).toContain("down 1 pending 1");
});

test("two servers deliver one event once", async () => {
  await queue([1]);
  const { promise, resolve } = Promise.withResolvers<typeof OK>();
  answer = () => promise;
  const first = dispatchDue(options(), GOING_ON);
  await dispatchDue(options(), GOING_ON);
  resolve(OK);
  await first;
  expect(sent).toEqual(["ops 1"]);
  expect(await states()).toEqual(["ops 1 delivered 1"]);
});

test("what a process had in its hands when it died is taken up by another", async () => {
  await queue([1]);
  const { nowMs } = installed.clock;
  const lost = await installed.store.takeDelivery("ops", nowMs, nowMs + TAKEN_MS);
  await dispatchDue(options(), GOING_ON);
  expect(sent).toEqual([]);
  installed.clock.nowMs += TAKEN_MS;
  await dispatchDue(options(), GOING_ON);
  await installed.store.endDelivery(lost!, { state: "failed", dueAt: 0, httpStatus: null, problem: "late" });
  expect(await states()).toEqual(["ops 1 delivered 2"]);
});

test("an event that nobody takes for four days is given up, and said to be", async () => {
  await queue([1]);
  installed.clock.nowMs += GIVE_UP_AFTER_MS;
  answer = () => DOWN;
  await dispatchDue(options(), GOING_ON);
  expect(await states()).toEqual(["ops 1 failed 1"]);
});

test("a degraded store is told of from memory, once for its trouble, and until it arrives", async () => {
  const { clock } = installed;
  const { targets, post } = options(["down"]);
  const degraded = new DegradedStore({ clock, targets, post, server: "s1" });
  answer = () => DOWN;
  for (let n = 0; n < 5; n++) degraded.tell("disk full");
  await degraded.send();
  await degraded.send();
  clock.nowMs += 5_000;
  answer = () => OK;
  await degraded.send();
  clock.nowMs += 60_000;
  await degraded.send();
  expect(sent).toHaveLength(2);
});
