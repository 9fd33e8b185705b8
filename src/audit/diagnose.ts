import type { ChainOrder } from "./chain-order.ts";
import { type ChainedRow, type ChainHead, type ChainSource, hashBehind, rowId, sameBytes } from "./chained-row.ts";
import { type ChainFinding, placeFinding, rowFinding } from "./finding.ts";

/**
 * What was done to the row at the position behind `head`, whose hash or previous hash is wrong. Reads the whole table: it
 * is asked once, for the first bad row.
 */
export async function whatIsWrong(
  source: Pick<ChainSource, "findChainRows">,
  key: Uint8Array,
  head: ChainHead,
  row: ChainedRow,
): Promise<ChainFinding> {
  const rivals = await source.findChainRows({ chainSeq: row.chainSeq });
  const genuine = rivals.find((rival) => rival.place !== row.place && fits(key, head, rival, row.chainSeq));
  if (genuine) return rowFinding("inserted", row, `was inserted: ${rowId(genuine)} is the row of that position`);
  if (fits(key, head, row, row.chainSeq)) return rowFinding("changed", row, "was changed: its prev_hash");
  const [predecessor] = await source.findChainRows({ hash: row.prevHash });
  if (predecessor && !sameBytes(row.prevHash, head.hash)) {
    const original = predecessor.chainSeq + 1;
    if (sameBytes(hashBehind(key, row.prevHash, row, original), row.hash)) {
      return rowFinding("moved", row, `was moved: it was written at position ${original}`);
    }
  }
  if (sameBytes(hashBehind(key, row.prevHash, row), row.hash)) {
    return rowFinding("moved", row, "was written behind another row than the one that stands before it");
  }
  return rowFinding(
    "changed",
    row,
    "was changed, or written by somebody without the key: its columns do not give its hash",
  );
}

/** Why there is no row at the position behind `head`, although the chain goes on to `end`. */
export async function whatIsMissing(
  source: Pick<ChainSource, "findChainRows">,
  key: Uint8Array,
  head: ChainHead,
  end: ChainHead,
  order: ChainOrder,
): Promise<ChainFinding> {
  const position = head.count + 1;
  for (const row of await source.findChainRows({ prevHash: head.hash })) {
    if (!fits(key, head, row, position)) continue;
    return rowFinding("moved", row, `was moved: it says that its position is ${row.chainSeq}`, position);
  }
  await order.finish();
  const next = order.nextAfter(position);
  if (next === undefined) {
    const lost = end.count - head.count;
    const message = `the tail is cut off: the chain's newest ${lost} rows, from position ${position} on, are missing`;
    return placeFinding("tail_cut_off", position, message);
  }
  const range = next === position + 1 ? `row ${position}` : `rows ${position} to ${next - 1}`;
  const following = await order.take(next);
  const message = `${range} of the chain are missing: the next row is ${following ? rowId(following) : "?"} at position ${next}`;
  return placeFinding("missing", position, message.replace(/^(row \d+) of the chain are/, "$1 of the chain is"));
}

function fits(key: Uint8Array, head: ChainHead, row: ChainedRow, position: number): boolean {
  return sameBytes(hashBehind(key, head.hash, row, position), row.hash);
}
