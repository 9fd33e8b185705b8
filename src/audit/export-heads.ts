import type { Micros } from "../core/money.ts";
import { derivedKey } from "./chain.ts";
import type { AuditSegment } from "./segment.ts";

/** A range of the chain that retention has removed, as an export tells it. */
export interface SegmentHead {
  readonly first_chain_seq: number;
  readonly last_chain_seq: number;
  readonly prev_hash: string;
  readonly hash: string;
  readonly cost_micros: string;
}

/** What closes an export: everything that a check of the rows before it needs. Hashes are hex. */
export interface ExportHeads {
  readonly format: 1;
  readonly exported_at: string;
  /** Null for the whole chain. A selection of rows can be checked row by row, and not for what is left out of it. */
  readonly filter: Readonly<Record<string, string | number>> | null;
  readonly rows: number;
  /** The sum of the exported rows' costs, in micro-dollars. */
  readonly cost_micros: string;
  readonly first_chain_seq: number | null;
  readonly first_prev_hash: string | null;
  readonly last_chain_seq: number | null;
  readonly last_hash: string | null;
  /** The chain at the time of the export. */
  readonly chain: { readonly count: number; readonly hash: string; readonly cost_micros: string };
  readonly pruned: readonly SegmentHead[];
  /** The newest checkpoint, as it stands in its file; null where there is none. */
  readonly checkpoint: Readonly<Record<string, unknown>> | null;
  /** SHA-256 of all bytes before. */
  readonly sha256: string;
}

export interface SignedHeads extends ExportHeads {
  readonly signature: string;
}

/** @param key of the chain. */
export function signHeads(key: Uint8Array, heads: ExportHeads): SignedHeads {
  return { ...heads, signature: headsSignature(key, heads) };
}

/** Over the JSON text of the heads without their signature, in the order in which they are written. */
export function headsSignature(key: Uint8Array, heads: ExportHeads): string {
  return new Bun.CryptoHasher("sha256", derivedKey(key, "audit export") as Buffer)
    .update(JSON.stringify(heads))
    .digest("hex");
}

export function segmentHead(segment: AuditSegment): SegmentHead {
  const { firstChainSeq, lastChainSeq, prevHash, hash, costMicros } = segment;
  return {
    first_chain_seq: firstChainSeq,
    last_chain_seq: lastChainSeq,
    prev_hash: hex(prevHash),
    hash: hex(hash),
    cost_micros: decimal(costMicros),
  };
}

/** As an export spells a hash. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function decimal(amount: Micros): string {
  return amount.toString();
}
