import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { percentile, round } from "./section.ts";

/** What the file system costs: every hold waits for one fsync. */
export interface DiskFigures {
  readonly fsync_p50_ms: number;
  readonly fsync_p99_ms: number;
}

/** `statfs` of a file system in memory (TMPFS_MAGIC of statfs(2)). */
const TMPFS = 0x01021994;

/** Where data directories are made: on a disk, since an fsync in memory costs nothing and every figure would be too good. */
export const WORK_DIRECTORY = statfsSync(tmpdir()).type === TMPFS ? inTheRepository() : tmpdir();

function inTheRepository(): string {
  const path = resolve(import.meta.dir, "../../.data");
  mkdirSync(path, { recursive: true });
  return path;
}

const TURNS = 200;
/** About what a batch of holds writes. */
const PAGES_BYTES = 64 * 1_024;

export function measureDisk(): DiskFigures {
  const path = join(WORK_DIRECTORY, `keybrake-bench-fsync-${process.pid}`);
  const file = openSync(path, "w");
  const tookMs: number[] = [];
  try {
    for (let turn = 0; turn < TURNS; turn++) {
      writeSync(file, new Uint8Array(PAGES_BYTES).fill(turn));
      const beganMs = performance.now();
      fsyncSync(file);
      tookMs.push(performance.now() - beganMs);
    }
  } finally {
    closeSync(file);
    rmSync(path);
  }
  return { fsync_p50_ms: round(percentile(tookMs, 50)), fsync_p99_ms: round(percentile(tookMs, 99)) };
}
