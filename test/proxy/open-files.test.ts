import { expect, test } from "bun:test";
import { openFilesMax, shareOpenFiles } from "../../src/proxy/open-files.ts";

const SHARES: readonly (readonly [openFiles: number, connectionsMax: number, concurrentCallsMax: number])[] = [
  [256, 32, 16],
  [1_024, 384, 192],
  [20_000, 11_552, 4_096],
  [1_048_576, 32_768, 4_096],
  [Number.MAX_SAFE_INTEGER, 32_768, 4_096],
];

test.each(SHARES)(
  "of %d files, %d are for clients and %d for calls",
  (openFiles, connectionsMax, concurrentCallsMax) => {
    expect(shareOpenFiles(openFiles, 4_096)).toEqual({ connectionsMax, concurrentCallsMax });
  },
);

test("clients and both ends of every call fit into the files that there are, with room for the rest", () => {
  for (let openFiles = 512; openFiles < 60_000; openFiles += 97) {
    const { connectionsMax, concurrentCallsMax } = shareOpenFiles(openFiles, 4_096);
    expect(connectionsMax + 2 * concurrentCallsMax).toBeLessThanOrEqual(openFiles - 256);
  }
});

test("fewer calls than wanted are allowed where files are few, never more", () => {
  expect(shareOpenFiles(1_000_000, 7).concurrentCallsMax).toBe(7);
});

test("the limit of this process is known", () => {
  expect(openFilesMax()).toBeGreaterThan(100);
});
