import type { EpochMs } from "../core/window.ts";
import { type ChainedRow, rowCalledAt, rowId } from "./chained-row.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** What is wrong with the chain. */
export type ChainFault =
  /** A row is not what it was when it was written. */
  | "changed"
  /** There is no row at a position, and there are later ones. */
  | "missing"
  /** A row that the chain does not have. */
  | "inserted"
  /** A row stands at another position than it was written for. */
  | "moved"
  /** The newest rows are gone. */
  | "tail_cut_off"
  /** What the ledger says of the chain's end is not what its rows say. */
  | "head_changed"
  /** What stands for rows that retention removed was not written by Keybrake. */
  | "segment_changed"
  /** A checkpoint says otherwise, or is none of this installation's. */
  | "checkpoint_differs";

/** The first thing that is wrong. */
export interface ChainFinding {
  readonly fault: ChainFault;
  /** The position in the chain, from 1. */
  readonly chainSeq: number;
  /** Of the first bad row; null where it is not there. */
  readonly id: string | null;
  readonly calledAt: EpochMs | null;
  readonly message: string;
}

export function rowFinding(fault: ChainFault, row: ChainedRow, message: string, chainSeq = row.chainSeq): ChainFinding {
  const calledAt = rowCalledAt(row);
  const at = isTime(calledAt) ? ` of ${new Date(calledAt).toISOString()}` : "";
  const text = `the row ${rowId(row)}${at} (position ${chainSeq} of the chain) ${message}`;
  return { fault, chainSeq, id: rowId(row), calledAt: isTime(calledAt) ? calledAt : null, message: text };
}

export function placeFinding(fault: ChainFault, chainSeq: number, message: string): ChainFinding {
  return { fault, chainSeq, id: null, calledAt: null, message };
}

/** The checkpoint in words: `the checkpoint of 2026-01-01T00:00:00.000Z (1200 rows)`. */
export function checkpointName({ at, count }: Checkpoint): string {
  return `the checkpoint of ${new Date(at).toISOString()} (${counted(count)})`;
}

/** `1 row`, `1200 rows`. */
export function counted(rows: number): string {
  return rows === 1 ? "1 row" : `${rows} rows`;
}

/** A time that was tampered with may be none that a date can be made of. */
function isTime(at: EpochMs): boolean {
  return !Number.isNaN(new Date(at).getTime());
}
