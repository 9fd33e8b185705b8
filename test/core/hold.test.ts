import { expect, test } from "bun:test";
import { CALL_STATES, mayResolve, type Resolution } from "../../src/core/hold.ts";

const RESOLUTIONS: readonly Resolution[] = ["settled", "released", "unresolved"];

test("a call is resolved once, save one whose outcome was unknown", () => {
  const allowed = CALL_STATES.flatMap((from) =>
    RESOLUTIONS.filter((to) => mayResolve(from, to)).map((to) => `${from} → ${to}`),
  );
  expect(allowed).toEqual([
    "held → settled",
    "held → released",
    "held → unresolved",
    "unresolved → settled",
    "unresolved → released",
  ]);
});
