import { describe, expect, test } from "bun:test";
import { auditNote } from "../../src/cli/audit-note.ts";

const PLAIN = {
  id: "call_2",
  verdict_rule: "allowed_endpoints[0]",
  flag: null,
  refers_to: null,
  cost_source: "vendor_response",
};

describe("the note of an audit row", () => {
  test.each([
    ["nothing for a plain call", {}, ""],
    [
      "that a refusal came from a look-up",
      { verdict_rule: "look_up", policy_verdict: "request_rejected" },
      "look-up failed",
    ],
    ["a flag in words", { flag: "cost_unreadable" }, "cost unreadable"],
    ["an earlier call that a repeat was answered from", { flag: "replays:call_1" }, "replay of call_1"],
    ["the call that is asked about again", { flag: "looks_up:call_1" }, "asks again for call_1"],
    ["the call whose price came later", { refers_to: "call_1", cost_source: "reconciled" }, "later price of call_1"],
    ["the call that an operator settled", { refers_to: "call_1", cost_source: "manual" }, "resolves call_1"],
    ["the call and why, where both are known", { refers_to: "call_1", flag: "overrun" }, "resolves call_1, overrun"],
  ])("says %s", (_what, row, note) => {
    expect(auditNote({ ...PLAIN, ...row })).toBe(note);
  });
});
