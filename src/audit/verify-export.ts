import type { Micros } from "../core/money.ts";
import { CHAIN_START, type ChainValue, chainHash } from "./chain.ts";
import { columnPlace, HASHED_COLUMNS } from "./chain-columns.ts";
import { type ChainedRow, rowId, sameBytes } from "./chained-row.ts";
import { type ExportHeads, headsSignature, hex, type SegmentHead, type SignedHeads } from "./export-heads.ts";
import { exportLine } from "./export-row.ts";
import { type ExportSum, ExportTally } from "./export-tally.ts";

export interface ExportVerdict {
  readonly rows: number;
  readonly costMicros: Micros;
  /** True where the file has the whole chain; a selection is only checked row by row. */
  readonly complete: boolean;
  /** False without a key: hashes and signature were not recomputed. */
  readonly keyed: boolean;
  /** The first thing that is wrong, with its line; undefined where nothing is. */
  readonly finding: { readonly line: number; readonly id: string | null; readonly message: string } | undefined;
}

/** Where a row does not follow the one before it: segments must stand between them, and only the last line tells. */
interface Gap {
  readonly from: ChainedRow | undefined;
  readonly to: ChainedRow;
}

/** A selection of rows is all gaps; the whole chain has one for each unresolved call within what was pruned. */
const GAPS_MAX = 10_000;

/** What is wrong in a line. */
class Wrong extends Error {
  readonly id: string | null;
  constructor(message: string, id: string | null = null) {
    super(message);
    this.id = id;
  }
}

/**
 * Checks an export (NDJSON) without the database: every row against its own text and, with the key of the chain, its hash;
 * in an export of the whole chain also the links, the positions and the sum.
 * @param lines of the file, with their line feeds.
 */
export async function verifyExport(lines: AsyncIterable<string>, key: Uint8Array | undefined): Promise<ExportVerdict> {
  const check = new ExportCheck(key);
  let line = 0;
  try {
    for await (const text of lines) {
      line += 1;
      check.line(text);
    }
    check.end();
  } catch (cause) {
    if (!(cause instanceof Wrong)) throw cause;
    return check.verdict({ line, id: cause.id, message: cause.message });
  }
  return check.verdict(undefined);
}

const CHAIN_SEQ = columnPlace("chain_seq");

class ExportCheck {
  readonly #key: Uint8Array | undefined;
  readonly #tally = new ExportTally();
  #heads: SignedHeads | undefined;
  readonly #gaps: Gap[] = [];
  /** The first row that stands behind a later one. */
  #disorder: string | undefined;

  constructor(key: Uint8Array | undefined) {
    this.#key = key;
  }

  line(text: string): void {
    if (this.#heads) throw new Wrong("there is a line behind the closing one");
    const value = parsed(text);
    if ("keybrake_export" in value) {
      this.#heads = value["keybrake_export"] as SignedHeads;
      return;
    }
    this.#tally.addText(text);
    this.#row(readRow(value, text));
  }

  #row(row: ChainedRow): void {
    const id = rowId(row);
    if (this.#key && !sameBytes(chainHash(this.#key, row.prevHash, row.values), row.hash)) {
      throw new Wrong("its hash is not that of its columns under this installation's key", id);
    }
    const { last } = this.#tally;
    if (last && row.chainSeq <= last.chainSeq) this.#disorder ??= id;
    if (row.chainSeq !== (last?.chainSeq ?? 0) + 1) {
      if (this.#gaps.length < GAPS_MAX) this.#gaps.push({ from: last, to: row });
    } else if (!sameBytes(row.prevHash, last?.hash ?? CHAIN_START)) {
      throw new Wrong("its prev_hash is not the hash of the row before it", id);
    }
    this.#tally.addRow(row);
  }

  end(): void {
    const heads = this.#heads;
    if (!heads) throw new Wrong("the closing line is missing: the file was cut off, or is no export of Keybrake");
    if (this.#key && !isSigned(this.#key, heads))
      throw new Wrong("the closing line is not signed by this installation");
    this.#matches(heads);
    if (heads.filter === null) this.#isWhole(heads);
  }

  #matches(heads: ExportHeads): void {
    for (const [name, found] of Object.entries(this.#tally.sum())) {
      const said = heads[name as keyof ExportSum];
      if (said !== found) throw new Wrong(`${name} of the closing line is ${said}, and the rows give ${found}`);
    }
  }

  /** Every position has its row, or a segment stands for it. */
  #isWhole({ pruned, chain }: ExportHeads): void {
    if (this.#gaps.length === GAPS_MAX) throw new Wrong("more positions are missing than any retention leaves");
    if (this.#disorder) throw new Wrong("the rows are not in the order of the chain", this.#disorder);
    const segments = new Map(pruned.map((segment) => [segment.first_chain_seq, segment]));
    let prunedMicros = 0n;
    const bridge = (from: ChainedRow | undefined, until: number, hash: string, id: string | null) => {
      let [position, at] = [from?.chainSeq ?? 0, hex(from?.hash ?? CHAIN_START)];
      while (position < until) {
        const segment: SegmentHead | undefined = segments.get(position + 1);
        if (segment?.prev_hash !== at) throw new Wrong(`the rows behind position ${position} are missing`, id);
        prunedMicros += BigInt(segment.cost_micros);
        [position, at] = [segment.last_chain_seq, segment.hash];
      }
      if (position !== until || at !== hash) throw new Wrong(`the chain does not lead to position ${until}`, id);
    };
    for (const { from, to } of this.#gaps) bridge(from, to.chainSeq - 1, hex(to.prevHash), rowId(to));
    bridge(this.#tally.last, chain.count, chain.hash, null);
    const sum = this.#tally.costMicros + prunedMicros;
    if (sum !== BigInt(chain.cost_micros))
      throw new Wrong(`the costs sum up to ${sum} micro-dollars, not ${chain.cost_micros}`);
  }

  verdict(finding: ExportVerdict["finding"]): ExportVerdict {
    const complete = this.#heads?.filter === null;
    const { rows, costMicros } = this.#tally;
    return { rows, costMicros, complete, keyed: this.#key !== undefined, finding };
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch {
    // said below
  }
  throw new Wrong(
    "it is no JSON object: only NDJSON exports of Keybrake are checked, for CSV there is sha256 in its heads",
  );
}

/** The row in a line, whose readable columns must be those that were hashed. */
function readRow(value: Readonly<Record<string, unknown>>, text: string): ChainedRow {
  const id = typeof value["id"] === "string" ? value["id"] : null;
  const values = hashedValues(value["hashed"]);
  if (!values) throw new Wrong("it has no hashed columns: the row is no export of Keybrake's", id);
  const prevHash = bytes(value["prev_hash"]);
  const hash = bytes(value["hash"]);
  const row = { place: BigInt(values[0] as number), chainSeq: values[CHAIN_SEQ] as number, values, prevHash, hash };
  if (exportLineOf(row) !== text) throw new Wrong("its columns are not those that were hashed", id);
  return row;
}

function exportLineOf(row: ChainedRow): string | undefined {
  try {
    return exportLine(row);
  } catch {
    return undefined; // values that no row has, such as a time beyond every calendar
  }
}

function hashedValues(text: unknown): readonly ChainValue[] | undefined {
  try {
    const values: unknown = JSON.parse(String(text));
    const isList = Array.isArray(values) && values.length === HASHED_COLUMNS.length;
    return isList && Number.isSafeInteger(values[0]) && Number.isSafeInteger(values[CHAIN_SEQ]) ? values : undefined;
  } catch {
    return undefined;
  }
}

function bytes(text: unknown): Uint8Array {
  return Buffer.from(String(text), "hex");
}

function isSigned(key: Uint8Array, { signature, ...heads }: SignedHeads): boolean {
  return headsSignature(key, heads) === signature;
}
