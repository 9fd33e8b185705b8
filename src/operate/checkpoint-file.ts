import {
  closeSync,
  constants,
  createReadStream,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { type Checkpoint, checkpointsInForce, readCheckpoint, writeCheckpoint } from "../audit/checkpoint.ts";
import { type ChainFinding, placeFinding } from "../audit/finding.ts";
import { Problem } from "../core/problem.ts";
import { errorCode, fileProblem } from "../vault/private-file.ts";
import type { CheckpointText } from "./audit-chain-verbs.ts";

/** What is read for the newest checkpoint: some hundred lines. */
const TAIL_BYTES = 64 * 1024;

const LINE_FEED = 0x0a;

/** Checkpoints in a file of their own (0600), a line each, only ever appended to. */
export class CheckpointFile {
  readonly path: string;
  readonly #key: Uint8Array;

  /** @param key of the chain. */
  constructor(path: string, key: Uint8Array) {
    this.path = path;
    this.#key = key;
  }

  /**
   * On disk when it returns.
   * @throws Problem `unavailable` where the file cannot be written.
   */
  append(checkpoint: Checkpoint): void {
    const isNew = !existsSync(this.path);
    this.#opened(constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, (file) => {
      const { size } = fstatSync(file);
      const last = Buffer.alloc(1, LINE_FEED);
      if (size > 0) readSync(file, last, 0, 1, size - 1);
      // A line that a crash cut off stays one line.
      const line = `${last[0] === LINE_FEED ? "" : "\n"}${writeCheckpoint(this.#key, checkpoint)}`;
      if (writeSync(file, line) !== Buffer.byteLength(line))
        throw Object.assign(new Error("short"), { code: "ENOSPC" });
      fsyncSync(file);
    });
    if (isNew) this.#syncDirectory();
  }

  /** The one that was written last; undefined where there is none. */
  newest(): Checkpoint | undefined {
    if (!existsSync(this.path)) return undefined;
    return this.#opened(constants.O_RDONLY, (file) => {
      const { size } = fstatSync(file);
      const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
      readSync(file, tail, 0, tail.length, size - tail.length);
      const lines = tail.toString("utf8").split("\n");
      for (const line of lines.reverse()) {
        const checkpoint = readCheckpoint(this.#key, line);
        if (checkpoint) return checkpoint;
      }
      return undefined;
    });
  }

  #opened<Result>(flags: number, work: (file: number) => Result): Result {
    let file: number | undefined;
    try {
      file = openSync(this.path, flags, 0o600);
      return work(file);
    } catch (cause) {
      if (cause instanceof Problem) throw cause;
      throw fileProblem("cannot use the checkpoints in", this.path, cause);
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }

  /** Else a power cut could take the new name back. */
  #syncDirectory(): void {
    const directory = openSync(dirname(this.path), constants.O_RDONLY);
    try {
      fsyncSync(directory);
    } catch (cause) {
      if (errorCode(cause) !== "EINVAL") throw fileProblem("cannot sync", dirname(this.path), cause);
    } finally {
      closeSync(directory);
    }
  }
}

/** The lines of a file of checkpoints, read as they are asked for. @throws Problem where it cannot be read. */
export function checkpointsIn(path: string): CheckpointText {
  return { name: path, lines: linesOf(path) };
}

async function* linesOf(path: string): AsyncGenerator<string> {
  try {
    yield* createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  } catch (cause) {
    throw fileProblem("cannot read the checkpoints in", path, cause);
  }
}

/** Every checkpoint that is in force, or the first line that is none of the installation's with this `key`. */
export async function readCheckpoints(
  key: Uint8Array,
  { name, lines, firstLine = 1 }: CheckpointText,
): Promise<readonly Checkpoint[] | ChainFinding> {
  const written: Checkpoint[] = [];
  let bad: number | undefined;
  let number = firstLine - 1;
  for await (const line of lines) {
    number += 1;
    const checkpoint = readCheckpoint(key, line);
    if (checkpoint) written.push(checkpoint);
    else if (!isCutOff(line)) bad ??= number;
  }
  if (bad === undefined) return checkpointsInForce(written);
  const message = `line ${bad} of ${name} is no checkpoint of this installation: it was changed, or written for another one`;
  return placeFinding("checkpoint_differs", written.at(-1)?.count ?? 0, message);
}

/** What a crash leaves of a line: its beginning, which is no whole JSON. */
function isCutOff(line: string): boolean {
  return line === "" || (line.startsWith('{"count":') && !line.endsWith("}"));
}
