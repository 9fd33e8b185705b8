import { expect, test } from "bun:test";
import { recordedRows } from "../../../src/operate/tuning/recorded-calls.ts";
import { recordedRow } from "./recorded-row.ts";

test("of a long history no more than one slice is in memory, and nothing is left out or comes twice", async () => {
  const count = 3_456;
  const slices: number[] = [];
  let ahead = 0;
  const store = {
    queryAudit: async (_filter: object, { after = 0, limit }: { after?: number; limit: number }) => {
      expect(ahead).toBe(0);
      const length = Math.max(0, Math.min(limit, count - after));
      slices.push(length);
      ahead += length;
      return { rows: Array.from({ length }, (_, index) => recordedRow(after + index + 1)), older: undefined };
    },
    chainRowsAt: async () => {
      throw new Error("nobody asked for sends");
    },
  };
  const progress: number[] = [];
  const seen: number[] = [];
  const onProgress = (rows: number) => progress.push(rows);
  for await (const { seq } of recordedRows(store, { filter: {}, withSends: false, onProgress })) {
    seen.push(seq);
    ahead--;
  }
  expect(seen).toEqual(Array.from({ length: count }, (_, index) => index + 1));
  expect([slices, progress]).toEqual([
    [1_000, 1_000, 1_000, 456],
    [1_000, 2_000, 3_000, 3_456],
  ]);
});
