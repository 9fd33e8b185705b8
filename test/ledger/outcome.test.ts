import { describe, expect, test } from "bun:test";
import { METHODS } from "../../src/core/call.ts";
import type { Resolution } from "../../src/core/hold.ts";
import { type Forwarded, resolutionOf, unknownOutcome } from "../../src/ledger/outcome.ts";

const WRITE: Forwarded = { method: "POST", exposureMicros: 5n, releasedStatuses: [402, 429] };
const FREE_READ: Forwarded = { method: "GET", exposureMicros: 0n, releasedStatuses: [] };

/** ledger.md, "A hold's life". */
const WRITES: readonly (readonly [statuses: readonly number[], Resolution])[] = [
  [[200, 201, 202, 204, 206, 299], "settled"],
  [[400, 401, 403, 404, 422], "released"],
  [[402, 429], "released"],
  [[300, 301, 302, 303, 304, 307, 308], "unresolved"],
  [[405, 406, 408, 409, 410, 411, 412, 413, 415, 418, 423, 424, 425, 451, 499], "unresolved"],
  [[500, 501, 502, 503, 504, 520, 529, 599], "unresolved"],
  [[100, 101, 103, 199, 0, 600, 999], "unresolved"],
];

describe("a write", () => {
  for (const [statuses, resolution] of WRITES) {
    test(`is ${resolution} by ${statuses.join(", ")}`, () => {
      for (const status of statuses) expect([status, resolutionOf(status, WRITE)]).toEqual([status, resolution]);
    });
  }

  test("is unresolved by 402 and 429 where the vendor's file does not say that they did nothing", () => {
    for (const status of [402, 429])
      expect(resolutionOf(status, { ...WRITE, releasedStatuses: [] })).toBe("unresolved");
  });

  test("is unresolved where no whole answer came, also one that holds nothing", () => {
    for (const method of METHODS.filter((one) => !["GET", "HEAD", "OPTIONS"].includes(one))) {
      for (const exposureMicros of [0n, 5n]) {
        expect(unknownOutcome({ ...WRITE, method, exposureMicros })).toBe("unresolved");
      }
    }
  });
});

describe("a read", () => {
  test("that holds nothing leaves nothing to find out, whatever was answered", () => {
    for (const status of [302, 408, 409, 429, 500, 504]) expect(resolutionOf(status, FREE_READ)).toBe("released");
    for (const method of ["GET", "HEAD", "OPTIONS"] as const) {
      expect(unknownOutcome({ ...FREE_READ, method })).toBe("released");
    }
  });

  test("that costs money is kept in full like a write", () => {
    const paid: Forwarded = { ...FREE_READ, exposureMicros: 1n };
    expect(resolutionOf(500, paid)).toBe("unresolved");
    expect(unknownOutcome(paid)).toBe("unresolved");
  });
});
