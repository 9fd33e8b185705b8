import { beforeEach, describe, expect, test } from "bun:test";
import { jsonLog, type LimitedLog, limitErrors } from "../src/log.ts";

const SECOND_MS = 1_000;

let nowMs: number;
let timers: { readonly atMs: number; readonly then: () => void }[];
let lines: string[];
let log: LimitedLog;

beforeEach(() => {
  nowMs = 0;
  timers = [];
  lines = [];
  const plain = jsonLog(
    () => nowMs,
    (line) => lines.push(line),
  );
  log = limitErrors(plain, (durationMs, then) => timers.push({ atMs: nowMs + durationMs, then }));
});

function pass(durationMs: number): void {
  nowMs += durationMs;
  const due = timers.filter(({ atMs }) => atMs <= nowMs);
  timers = timers.filter(({ atMs }) => atMs > nowMs);
  for (const { then } of due) then();
}

/** What was written since the last look, without time and level. */
function told(): unknown[] {
  return lines.splice(0).map((line) => {
    const { time, level, ...rest } = JSON.parse(line) as Record<string, unknown>;
    return rest;
  });
}

test("a line is JSON with its time and level", () => {
  log.info("calls_aborted", { count: 3 });
  expect(lines).toEqual(['{"time":"1970-01-01T00:00:00.000Z","level":"info","event":"calls_aborted","count":3}\n']);
});

test.each([
  ["error", ["failed"]],
  ["info", ["began", "failed"]],
  ["debug", ["began", "call", "failed"]],
] as const)("at the level %s it tells %j, and below that nothing is put together", (level, events) => {
  const told: string[] = [];
  const leveled = limitErrors(
    jsonLog(
      () => 0,
      (line) => told.push((JSON.parse(line) as { event: string }).event),
      level,
    ),
  );
  leveled.info("began");
  leveled.debug?.("call");
  leveled.error("failed");
  expect(told).toEqual([...events]);
  expect(leveled.debug === undefined).toBe(level !== "debug");
});

describe("of a flood of one error", () => {
  function flood(from: number, to: number): void {
    for (let call = from; call <= to; call++) log.error("hold_failed", { call });
  }

  test("the first line comes at once, then one a second: the newest, with the number of those left out before it", () => {
    flood(1, 500);
    expect(told()).toEqual([{ event: "hold_failed", call: 1 }]);
    pass(SECOND_MS - 1);
    expect(told()).toEqual([]);
    pass(1);
    expect(told()).toEqual([{ event: "hold_failed", call: 500, left_out: 498 }]);
    flood(501, 502);
    pass(SECOND_MS);
    expect(told()).toEqual([{ event: "hold_failed", call: 502, left_out: 1 }]);
  });

  test("a single one that waited says nothing of others", () => {
    flood(1, 2);
    pass(SECOND_MS);
    expect(told()).toEqual([
      { event: "hold_failed", call: 1 },
      { event: "hold_failed", call: 2 },
    ]);
  });

  test("a second without any ends it: the next one comes at once", () => {
    flood(1, 2);
    pass(SECOND_MS);
    pass(SECOND_MS);
    expect(told()).toHaveLength(2);
    expect(timers).toEqual([]);
    flood(3, 3);
    expect(told()).toEqual([{ event: "hold_failed", call: 3 }]);
  });

  test("other events, and what is no error, are told in full meanwhile", () => {
    flood(1, 3);
    log.error("commit_failed", { cause: "disk full" });
    for (let count = 0; count < 3; count++) log.info("hold_failed", { count });
    expect(told()).toEqual([
      { event: "hold_failed", call: 1 },
      { event: "commit_failed", cause: "disk full" },
      ...[0, 1, 2].map((count) => ({ event: "hold_failed", count })),
    ]);
  });

  test("the end of the process leaves nothing untold, and says it once", () => {
    flood(1, 4);
    log.flush();
    expect(told()).toEqual([
      { event: "hold_failed", call: 1 },
      { event: "hold_failed", call: 4, left_out: 2 },
    ]);
    log.flush();
    pass(SECOND_MS);
    expect(told()).toEqual([]);
  });
});
