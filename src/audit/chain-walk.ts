import { CHAIN_START } from "./chain.ts";
import { ChainOrder, type ReadOptions } from "./chain-order.ts";
import {
  type ChainedRow,
  type ChainHead,
  type ChainSource,
  type ChainState,
  hashBehind,
  rowCostMicros,
  sameBytes,
} from "./chained-row.ts";
import { whatIsMissing, whatIsWrong } from "./diagnose.ts";
import { type ChainFinding, placeFinding } from "./finding.ts";
import { type AuditSegment, segmentSeal } from "./segment.ts";

/** One step along the chain: a row that is as it was written, a segment, or what is wrong. */
export type ChainStep =
  | { readonly row: ChainedRow; readonly before: ChainHead; readonly after: ChainHead }
  | { readonly segment: AuditSegment; readonly after: ChainHead }
  | { readonly finding: ChainFinding };

export const CHAIN_EMPTY: ChainHead = { count: 0, hash: CHAIN_START, costMicros: 0n };

/** Walks the chain from its first position to where it ended when the walk began, and checks every link and hash. */
export class ChainWalk {
  readonly order: ChainOrder;
  readonly #source: ChainSource;
  readonly #key: Uint8Array;
  readonly #end: ChainState;
  readonly #segments: ReadonlyMap<number, AuditSegment>;
  #head = CHAIN_EMPTY;

  private constructor(
    source: ChainSource,
    key: Uint8Array,
    end: ChainState,
    segments: readonly AuditSegment[],
    options: ReadOptions,
  ) {
    this.#source = source;
    this.#key = key;
    this.#end = end;
    this.#segments = new Map(segments.map((segment) => [segment.firstChainSeq, segment]));
    this.order = new ChainOrder(source, end.count, options);
  }

  static async begin(source: ChainSource, key: Uint8Array, options: ReadOptions = {}): Promise<ChainWalk> {
    const end = await source.chainState();
    return new ChainWalk(source, key, end, await source.auditSegments(), options);
  }

  /** Where the chain ended when the walk began. */
  get end(): ChainState {
    return this.#end;
  }

  get segments(): readonly AuditSegment[] {
    return [...this.#segments.values()];
  }

  /** How far everything is as it must be. */
  get head(): ChainHead {
    return this.#head;
  }

  /** The next step; undefined at the end. After a finding there is none. */
  async step(): Promise<ChainStep | undefined> {
    const before = this.#head;
    const position = before.count + 1;
    if (before.count >= this.#end.count) return undefined;
    const segment = this.#segments.get(position);
    if (segment) return this.#pass(segment);
    const row = await this.order.take(position);
    if (!row) return { finding: await whatIsMissing(this.#source, this.#key, before, this.#end, this.order) };
    const hash = hashBehind(this.#key, before.hash, row);
    if (!sameBytes(hash, row.hash) || !sameBytes(row.prevHash, before.hash)) {
      return { finding: await whatIsWrong(this.#source, this.#key, before, row) };
    }
    this.#head = { count: position, hash, costMicros: before.costMicros + rowCostMicros(row) };
    return { row, before, after: this.#head };
  }

  #pass(segment: AuditSegment): ChainStep {
    const { firstChainSeq: first, lastChainSeq: last, seal, prevHash, hash, costMicros } = segment;
    const isOurs = sameBytes(seal, segmentSeal(this.#key, segment));
    if (!isOurs || last < first || !sameBytes(prevHash, this.#head.hash)) {
      const what = isOurs ? "does not follow the row before it" : "was changed, or not written by Keybrake";
      const message = `the segment that stands for the pruned rows ${first} to ${last} of the chain ${what}`;
      return { finding: placeFinding("segment_changed", first, message) };
    }
    this.#head = { count: last, hash, costMicros: this.#head.costMicros + costMicros };
    return { segment, after: this.#head };
  }
}
