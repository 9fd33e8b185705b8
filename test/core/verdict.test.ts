import { describe, expect, test } from "bun:test";
import { isVerdict, precedes, VERDICTS, type Verdict } from "../../src/core/verdict.ts";

const ALL = Object.keys(VERDICTS) as Verdict[];

/** http.md, "Order of checks": parse → key → brake → endpoint → parameters and scope → amount → rates → budgets. */
const CHECKS: readonly (readonly Verdict[])[] = [
  ["request_rejected", "body_too_large", "encoding_unsupported"],
  ["key_missing", "key_unknown", "key_revoked", "key_expired"],
  ["brake_engaged"],
  ["endpoint_denied"],
  ["parameter_denied", "scope_denied"],
  ["amount_denied"],
  ["rate_exceeded"],
  ["cap_exceeded"],
  ["allowed"],
];

/** http.md's table of statuses. */
const STATUSES: readonly (readonly [number, readonly Verdict[]])[] = [
  [400, ["request_rejected"]],
  [401, ["key_missing", "key_unknown", "key_revoked", "key_expired"]],
  [
    403,
    [
      "brake_engaged",
      "endpoint_denied",
      "parameter_denied",
      "scope_denied",
      "currency_denied",
      "cost_unknown",
      "amount_denied",
    ],
  ],
  [404, ["vendor_unknown"]],
  [409, ["idempotency_in_progress", "idempotency_mismatch"]],
  [413, ["body_too_large"]],
  [415, ["encoding_unsupported"]],
  [429, ["rate_exceeded", "cap_exceeded"]],
  [502, ["upstream_unreachable"]],
  [503, ["draining", "store_unavailable", "vendor_not_configured"]],
  [504, ["upstream_timeout"]],
  [200, ["allowed"]],
];

describe("verdicts", () => {
  test("precede one another in the order of checks", () => {
    for (const [index, earlier] of CHECKS.entries()) {
      for (const later of CHECKS.slice(index + 1).flat()) {
        for (const first of earlier) {
          expect([first, later, precedes(first, later), precedes(later, first)]).toEqual([first, later, true, false]);
        }
      }
    }
  });

  test("have one order: of two different ones exactly one precedes, and none precedes itself", () => {
    for (const first of ALL) {
      for (const second of ALL) {
        expect(Number(precedes(first, second)) + Number(precedes(second, first))).toBe(first === second ? 0 : 1);
      }
    }
  });

  test("refuse before they allow, and what happens at the vendor comes last", () => {
    for (const verdict of ALL.filter((one) => !["allowed", "upstream_unreachable", "upstream_timeout"].includes(one))) {
      expect([verdict, precedes(verdict, "allowed")]).toEqual([verdict, true]);
    }
  });

  test("are all in the table of statuses, each once", () => {
    expect(STATUSES.flatMap(([, verdicts]) => verdicts).sort()).toEqual([...ALL].sort());
    for (const [status, verdicts] of STATUSES) {
      for (const verdict of verdicts) expect([verdict, VERDICTS[verdict].status as number]).toEqual([verdict, status]);
    }
  });

  test("tell the agent what to do, all but the one that lets it go on", () => {
    for (const verdict of ALL)
      expect([verdict, VERDICTS[verdict].advice === ""]).toEqual([verdict, verdict === "allowed"]);
  });

  test("are the only words that are verdicts", () => {
    for (const verdict of ALL) expect(isVerdict(verdict)).toBe(true);
    for (const word of ["", "Allowed", "toString", "__proto__", "held"]) expect(isVerdict(word)).toBe(false);
  });
});
