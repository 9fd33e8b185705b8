import { type ChainedRow, rowCostMicros } from "./chained-row.ts";
import { type ExportHeads, hex } from "./export-heads.ts";

/** What the closing line of an export says about what stands before it. */
export type ExportSum = Pick<
  ExportHeads,
  "rows" | "cost_micros" | "first_chain_seq" | "first_prev_hash" | "last_chain_seq" | "last_hash" | "sha256"
>;

/** Adds up an export, piece by piece: when it is written, and again when it is checked. */
export class ExportTally {
  readonly #bytes = new Bun.CryptoHasher("sha256");
  #rows = 0;
  #costMicros = 0n;
  #first: ChainedRow | undefined;
  #last: ChainedRow | undefined;

  addText(text: string): void {
    this.#bytes.update(text);
  }

  addRow(row: ChainedRow): void {
    this.#rows += 1;
    this.#costMicros += rowCostMicros(row);
    this.#first ??= row;
    this.#last = row;
  }

  get rows(): number {
    return this.#rows;
  }

  get costMicros(): bigint {
    return this.#costMicros;
  }

  get last(): ChainedRow | undefined {
    return this.#last;
  }

  /** In the order of the closing line. To be asked once, at the end. */
  sum(): ExportSum {
    return {
      rows: this.#rows,
      cost_micros: this.#costMicros.toString(),
      first_chain_seq: this.#first?.chainSeq ?? null,
      first_prev_hash: this.#first ? hex(this.#first.prevHash) : null,
      last_chain_seq: this.#last?.chainSeq ?? null,
      last_hash: this.#last ? hex(this.#last.hash) : null,
      sha256: this.#bytes.digest("hex"),
    };
  }
}
