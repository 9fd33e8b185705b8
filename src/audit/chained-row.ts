import type { Micros } from "../core/money.ts";
import type { EpochMs } from "../core/window.ts";
import { type ChainValue, chainHash } from "./chain.ts";
import { columnPlace } from "./chain-columns.ts";
import type { AuditSegment } from "./segment.ts";

/** A final row as the chain sees it. */
export interface ChainedRow {
  /** Its `seq`: where it lies in the table. A bigint, because one that was tampered with may be any 64-bit integer. */
  readonly place: bigint;
  /** Its position in the chain, from 1. */
  readonly chainSeq: number;
  /** In the order of `HASHED_COLUMNS`. */
  readonly values: readonly ChainValue[];
  readonly prevHash: Uint8Array;
  readonly hash: Uint8Array;
}

/** Where the chain stands: the number of its rows, the hash of the last and the sum of all costs. */
export interface ChainHead {
  readonly count: number;
  readonly hash: Uint8Array;
  readonly costMicros: Micros;
}

/** The head as the store keeps it, and what else a look at the chain begins from. */
export interface ChainState extends ChainHead {
  /** The time of the ledger's latest batch. */
  readonly at: EpochMs;
  /** Why keys are frozen, as JSON; null where they are not. */
  readonly frozen: string | null;
  /** Rows from this `seq` on may belong to a batch of calls of which some are in flight; undefined where none is. */
  readonly openFrom: bigint | undefined;
}

/** Which rows to look for where something is wrong; every row is read for it. */
export type RowSearch =
  | { readonly chainSeq: number }
  | { readonly prevHash: Uint8Array }
  | { readonly hash: Uint8Array };

/** Where rows of the chain are read from. */
export interface ChainSource {
  chainState(): Promise<ChainState>;
  /** At most `limit` rows behind `place`, by place. */
  chainRows(place: bigint, limit: number): Promise<readonly ChainedRow[]>;
  findChainRows(search: RowSearch): Promise<readonly ChainedRow[]>;
  /** What stands for rows that retention has removed, by position. */
  auditSegments(): Promise<readonly AuditSegment[]>;
}

/** Before every `seq`, also one that was tampered with. */
export const BEFORE_ALL_PLACES = -(2n ** 63n);

const ID = columnPlace("id");
const CHAIN_SEQ = columnPlace("chain_seq");
const CALLED_AT = columnPlace("called_at");
const FINISHED_AT = columnPlace("finished_at");
const STATE = columnPlace("state");
const COST = columnPlace("cost_micros");

export function rowId({ values }: ChainedRow): string {
  return String(values[ID]);
}

export function rowCalledAt({ values }: ChainedRow): EpochMs {
  return values[CALLED_AT] as number;
}

export function rowFinishedAt({ values }: ChainedRow): EpochMs {
  return values[FINISHED_AT] as number;
}

export function rowState({ values }: ChainedRow): string {
  return values[STATE] as string;
}

/** What the row adds to the chain's sum. */
export function rowCostMicros({ values }: ChainedRow): Micros {
  return BigInt(values[COST] ?? 0);
}

/** The hash that the row must have behind a row with the hash `previous`, at `position` where it is another than its own. */
export function hashBehind(
  key: Uint8Array,
  previous: Uint8Array,
  row: ChainedRow,
  position = row.chainSeq,
): Uint8Array {
  if (position === row.chainSeq) return chainHash(key, previous, row.values);
  return chainHash(key, previous, row.values.with(CHAIN_SEQ, position));
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
