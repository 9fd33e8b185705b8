import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { REFUSAL_CASES, REFUSALS, type RefusalName, sentenceOf, statusOf } from "./refusals.ts";
import { type Cells, type Rig, startRig } from "./rig.ts";
import type { Row } from "./rows.ts";
import type { VendorName } from "./vendors.ts";

/** SDK processes at once: they mostly wait, for their back-off and (stripe-node up to 22.3.0) for Retry-After. */
const AGENTS_AT_ONCE = 8;

/**
 * Declares the tests of a matrix: each of `rows` is run into every refusal, all before the first test.
 * @param command starts the script that reads a plan, as in `runAgent`.
 */
export function testMatrix(
  rows: readonly { readonly title: string; readonly row: Row }[],
  command: readonly string[],
): void {
  let rig: Rig;
  const played: Cells[] = [];

  beforeAll(async () => {
    rig = await startRig();
    const waiting = [...rows.entries()];
    const worker = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [index, { row }] = next;
        played[index] = await rig.play(row, command, refusalsOf(row));
      }
    };
    await Promise.all(Array.from({ length: AGENTS_AT_ONCE }, worker));
  }, 60_000);
  afterAll(() => rig?.stop());

  for (const [index, { title, row }] of rows.entries()) {
    describe(title, () => {
      for (const refusal of refusalsOf(row)) {
        if (refusal === "capped" && row.isFree) continue;
        const { what, verdict } = REFUSAL_CASES[refusal];
        const status = statusOf(row.vendor, refusal);
        const count = row.attempts?.[refusal] ?? 1;
        const often = count === 1 ? "after one attempt" : `after ${count} attempts`;

        test(`${what} is ${row.errors[refusal]} (${status}), ${often}${row.isMute ? "" : ", and says why"}`, () => {
          const { refused, attempts, verdicts, before } = played[index]![refusal];
          expect(refused.ok).toBe(false);
          expect(refused.error).toBe(row.errors[refusal]);
          expect(refused.status).toBe(status);
          if (!row.isMute) expect(refused.said).toContain(sentenceOf(row.vendor, refusal, row.called));
          expect(attempts).toEqual(Array(count).fill(status));
          expect(verdicts).toEqual([...before.map(() => "allowed"), ...Array(count).fill(verdict)]);
        });
      }

      test(`the call ${row.isFree ? "costs nothing and works under any cap" : "under the cap works"}`, () => {
        const { before, refused } = played[index]!.capped;
        expect(row.isFree ? [...before, refused] : before).toEqual(
          row.isFree ? [{ ok: true }, { ok: true }] : [{ ok: true }],
        );
      });
    });
  }

  const vendors = new Set(rows.map(({ row }) => row.vendor));
  test.each([...vendors])("%s itself got the calls under the caps, and no other", (vendor: VendorName) => {
    const calls = rows.filter(({ row }) => row.vendor === vendor).map(({ row }) => (row.isFree ? 2 : 1));
    const sent = rig.doubles.get(vendor)!.requests.filter(({ method }) => method === "POST");
    expect(sent).toHaveLength(calls.reduce((sum, count) => sum + count, 0));
  });
}

function refusalsOf({ without = [] }: Row): readonly RefusalName[] {
  return REFUSALS.filter((refusal) => !without.includes(refusal));
}
