import { describe, expect, test } from "bun:test";
import { type AuditedCall, type KeyEvidence, ledgerViolations } from "../../scripts/assurance/ledger-violations.ts";

const row = (event: string, state: string, fields: Partial<AuditedCall> = {}): AuditedCall => ({
  id: `call_${event}`,
  state,
  policy_verdict: state === "refused" ? "cap_exceeded" : "allowed",
  exposure_usd: "5.00",
  cost_usd: state === "settled" ? "5.00" : state === "refused" ? "0.00" : null,
  triggering_event_id: event,
  ...fields,
});
const sent = (event: string, status: number | undefined) => ({ event, status, cents: 500 });
const seen = (event: string) => ({ event, callId: `call_${event}`, cents: 500 });

/** One settled, one held, one whose answer was lost, one refused: a cap of $20 with $15 used. */
const SOUND: KeyEvidence = {
  capUsd: 20,
  usedUsd: 15,
  rows: [row("a", "settled"), row("b", "held"), row("c", "unresolved"), row("d", "refused")],
  sent: [sent("a", 200), sent("b", undefined), sent("c", 502), sent("d", 429), sent("e", 503)],
  seen: [seen("a"), seen("b"), seen("c")],
};

test("finds nothing in a sound ledger", () => {
  expect(ledgerViolations(SOUND)).toEqual([]);
});

const without = (event: string) => SOUND.rows.filter((one) => one.triggering_event_id !== event);

const LIES: readonly (readonly [what: string, evidence: Partial<KeyEvidence>, found: string])[] = [
  [
    "a vendor call without a row",
    { rows: without("b"), usedUsd: 10 },
    "the vendor saw b (call_b), and there is no row",
  ],
  [
    "a hold that was given back",
    { rows: [...without("b"), row("b", "released", { cost_usd: "0.00" })] },
    "its hold is released",
  ],
  ["a vendor call that was refused on paper", { rows: [...without("b"), row("b", "refused")] }, "its hold is refused"],
  [
    "a call with two rows",
    { rows: [...SOUND.rows, row("d", "refused", { id: "call_d2" })] },
    "d has more than one row",
  ],
  ["a call that was sent to the vendor twice", { seen: [...SOUND.seen, seen("a")] }, "the vendor saw a more than once"],
  [
    "a hold that is smaller than the call",
    { rows: [...without("b"), row("b", "held", { exposure_usd: "4.00" })] },
    "b of 500 cents holds $4.00",
  ],
  [
    "a settlement below what the vendor took",
    { rows: [...without("a"), row("a", "settled", { cost_usd: "1.00" })] },
    "settled at $1.00",
  ],
  ["a counter that is not the sum of its rows", { usedUsd: 10 }, "the counter says $10, the rows say 1500 cents"],
  ["more spent than the cap", { capUsd: 14 }, "1500 cents on a cap of $14"],
  ["an answer 503 for a call that was made", { sent: [sent("a", 503)] }, "a was answered 503, and the vendor saw it"],
  ["an answer 429 for a call that was made", { sent: [sent("a", 429)] }, "a was answered 429, and the vendor saw it"],
  ["an answer 200 without a row", { sent: [sent("z", 200)] }, "z was answered 200, and there is no row"],
  ["a refusal without a row", { sent: [sent("z", 429)] }, "z was refused, and its row is undefined"],
];

describe("finds", () => {
  test.each(LIES)("%s", (_, lie, found) => {
    expect(ledgerViolations({ ...SOUND, ...lie }).join("\n")).toContain(found);
  });
});
