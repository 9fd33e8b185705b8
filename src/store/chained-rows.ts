import type { ChainValue } from "../audit/chain.ts";
import { CHAIN_COLUMNS, type ColumnKind, columnPlace } from "../audit/chain-columns.ts";
import type { ChainedRow } from "../audit/chained-row.ts";

const KINDS: readonly ColumnKind[] = CHAIN_COLUMNS.map(([, kind]) => kind);
const CHAIN_SEQ = columnPlace("chain_seq");

/** A column as a driver hands it out. */
export type Read = bigint | number | string | null | Uint8Array;

/** @param read the columns of `FINAL_COLUMNS`, in their order. */
export function chainedRow(read: readonly Read[]): ChainedRow {
  const values = KINDS.map((kind, place) => chainValue(read[place] as ChainValue | bigint, kind));
  return {
    place: read[0] as bigint,
    chainSeq: values[CHAIN_SEQ] as number,
    values,
    prevHash: read[KINDS.length] as Uint8Array,
    hash: read[KINDS.length + 1] as Uint8Array,
  };
}

/** As it was hashed. An integer beyond what a number can hold was never written by Keybrake, and rounds to no such one. */
function chainValue(read: ChainValue | bigint, kind: ColumnKind): ChainValue {
  // JSON writes minus zero as zero; Keybrake never wrote one.
  if (typeof read !== "bigint") return Object.is(read, -0) ? "-0" : read;
  return kind === "micros" ? read.toString() : Number(read);
}
