import type { ReadOptions } from "./chain-order.ts";
import { ChainWalk } from "./chain-walk.ts";
import { type ChainHead, type ChainSource, sameBytes } from "./chained-row.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { type ChainFinding, checkpointName, placeFinding, rowFinding } from "./finding.ts";
import type { AuditSegment } from "./segment.ts";

export interface VerifyOptions extends ReadOptions {
  /** Those in force, by position. */
  readonly checkpoints?: readonly Checkpoint[];
  /** Called now and then with how many rows are done, of how many. */
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

export interface ChainVerdict {
  /** How far everything is as it must be. */
  readonly head: ChainHead;
  /** Rows that were read, and rows that segments stand for. */
  readonly rows: number;
  readonly prunedRows: number;
  /** Checkpoints that the chain was compared with; the others lie within what was pruned. */
  readonly checkpoints: number;
  /** Undefined where nothing is wrong. */
  readonly finding: ChainFinding | undefined;
}

const ROWS_PER_PROGRESS = 8192;
const BEGINNINGS_MAX = 5;

/**
 * Checks the whole chain as it stands when the walk begins: every link and hash, that no position is missing or taken
 * twice, the head, and every checkpoint. Rows that come meanwhile are the next walk's.
 */
export async function verifyChain(
  source: ChainSource,
  key: Uint8Array,
  options: VerifyOptions = {},
): Promise<ChainVerdict> {
  for (let beginning = 1; ; beginning++) {
    const walk = await ChainWalk.begin(source, key, options);
    const verdict = await verify(source, walk, options);
    if (verdict.finding === undefined || beginning === BEGINNINGS_MAX) return verdict;
    // Retention may remove rows just ahead of the walk: what is missing then is not.
    if (prunedRows(await source.auditSegments()) === prunedRows(walk.segments)) return verdict;
  }
}

function prunedRows(segments: readonly AuditSegment[]): number {
  return segments.reduce((sum, { firstChainSeq, lastChainSeq }) => sum + lastChainSeq - firstChainSeq + 1, 0);
}

async function verify(
  source: ChainSource,
  walk: ChainWalk,
  { checkpoints = [], onProgress }: VerifyOptions,
): Promise<ChainVerdict> {
  const compared = new Comparison(checkpoints);
  let rows = 0;
  let pruned = 0;
  let finding = compared.at(walk.head);
  while (!finding) {
    const step = await walk.step();
    if (!step) break;
    if ("finding" in step) {
      finding = step.finding;
      break;
    }
    if ("row" in step) rows += 1;
    else pruned += prunedRows([step.segment]);
    finding = compared.at(step.after);
    if (rows % ROWS_PER_PROGRESS === 0) onProgress?.(step.after.count, walk.end.count);
  }
  finding ??= await atTheEnd(source, walk, compared);
  return { head: walk.head, rows, prunedRows: pruned, checkpoints: compared.count, finding: earlier(walk, finding) };
}

/** What only shows when every position has been seen. */
async function atTheEnd(source: ChainSource, walk: ChainWalk, compared: Comparison): Promise<ChainFinding | undefined> {
  await walk.order.finish();
  const { head, end, order } = walk;
  if (!sameBytes(head.hash, end.hash) || head.costMicros !== end.costMicros) {
    const what = sameBytes(head.hash, end.hash) ? "the sum of all costs" : "the hash of the last row";
    return placeFinding(
      "head_changed",
      head.count,
      `${what} that the ledger keeps is not that of its ${head.count} rows`,
    );
  }
  if (order.strays.length > 0) return undefined;
  // A row that came while the others were read has its place in the chain by now; one that was forged has not.
  const beyond = order.beyond;
  if (beyond && beyond.chainSeq > (await source.chainState()).count) {
    return rowFinding("inserted", beyond, `was inserted: the chain ends at position ${end.count}`);
  }
  return compared.beyond(head);
}

/** A row too many counts first where it claims an earlier position than what was found. */
function earlier(walk: ChainWalk, finding: ChainFinding | undefined): ChainFinding | undefined {
  const [stray] = walk.order.strays.toSorted((a, b) => a.chainSeq - b.chainSeq);
  if (!stray) return finding;
  const inserted = rowFinding("inserted", stray, "was inserted: that position has another row, or none");
  if (!finding || (stray.chainSeq < finding.chainSeq && inserted.id !== finding.id)) return inserted;
  return finding;
}

/** The chain beside its checkpoints. */
class Comparison {
  readonly #checkpoints: readonly Checkpoint[];
  #next = 0;
  count = 0;

  constructor(checkpoints: readonly Checkpoint[]) {
    this.#checkpoints = checkpoints;
  }

  at({ count, hash, costMicros }: ChainHead): ChainFinding | undefined {
    for (; ; this.#next++) {
      const checkpoint = this.#checkpoints[this.#next];
      if (!checkpoint || checkpoint.count > count) return undefined;
      if (checkpoint.count < count) continue;
      this.count += 1;
      const isSame = sameBytes(checkpoint.hash, hash);
      if (isSame && checkpoint.costMicros === costMicros) continue;
      const what = isSame ? "the sum of all costs" : "the hash of the row";
      const message = `${what} at position ${count} of the chain is another than in ${checkpointName(checkpoint)}`;
      return placeFinding("checkpoint_differs", count, message);
    }
  }

  /** A checkpoint behind the end of the chain. */
  beyond({ count }: ChainHead): ChainFinding | undefined {
    const newest = this.#checkpoints.at(-1);
    if (!newest || newest.count <= count) return undefined;
    const message = `the tail is cut off: the chain ends at position ${count}, and by ${checkpointName(newest)} it was longer`;
    return placeFinding("tail_cut_off", count + 1, message);
  }
}
