import { existsSync } from "node:fs";
import { ChainOrder } from "../audit/chain-order.ts";
import type { ChainedRow } from "../audit/chained-row.ts";
import { checkpointView } from "../audit/checkpoint.ts";
import { hex, type SignedHeads, segmentHead, signHeads } from "../audit/export-heads.ts";
import { EXPORT_CSV_HEADER, exportCsvLine, exportLine } from "../audit/export-row.ts";
import { ExportTally } from "../audit/export-tally.ts";
import { Problem } from "../core/problem.ts";
import type { AuditFilter } from "../store/store.ts";
import type { AuditExport, ExportAuditRequest } from "./audit-chain-verbs.ts";
import { CheckpointFile } from "./checkpoint-file.ts";
import type { ControlPlaneOptions } from "./options.ts";
import { nextTurn } from "./verify-audit.ts";

const ROWS_PER_CHUNK = 500;

type ExportOptions = Pick<ControlPlaneOptions, "store" | "chainKey" | "clock" | "config">;

const FORMATS = {
  ndjson: { header: "", line: exportLine },
  csv: { header: EXPORT_CSV_HEADER, line: exportCsvLine },
} as const;

/**
 * Final rows as one file, with what an auditor needs to check it elsewhere. The whole chain comes in its own order;
 * a selection comes in the order of the calls, and nobody can see from it what was left out.
 */
export function exportAudit(options: ExportOptions, request: ExportAuditRequest): AuditExport {
  const exporting = new Exporting(options, request);
  return { chunks: exporting.chunks(), heads: () => ({ ...exporting.heads() }) };
}

class Exporting {
  readonly #options: ExportOptions;
  readonly #request: ExportAuditRequest;
  readonly #tally = new ExportTally();
  #heads: SignedHeads | undefined;

  constructor(options: ExportOptions, request: ExportAuditRequest) {
    this.#options = options;
    this.#request = request;
  }

  /** Text, piece by piece. NDJSON ends with the heads. */
  async *chunks(): AsyncGenerator<string> {
    const { store, clock } = this.#options;
    const { filter, format } = this.#request;
    const { header, line } = FORMATS[format];
    const exportedAt = new Date(clock.now()).toISOString();
    const [chain, segments] = [await store.chainState(), await store.auditSegments()];
    if (header !== "") yield this.#counted(header);
    const isWhole = Object.keys(filter).length === 0;
    const pieces = isWhole ? this.#whole(chain.count, segments) : this.#selected(filter);
    for await (const rows of pieces) {
      for (const row of rows) this.#tally.addRow(row);
      yield this.#counted(rows.map(line).join(""));
    }
    const { sha256, ...sum } = this.#tally.sum();
    this.#heads = signHeads(this.#options.chainKey, {
      format: 1,
      exported_at: exportedAt,
      filter: isWhole ? null : { ...filter },
      ...sum,
      chain: { count: chain.count, hash: hex(chain.hash), cost_micros: chain.costMicros.toString() },
      pruned: segments.map(segmentHead),
      checkpoint: this.#newestCheckpoint(),
      sha256,
    });
    if (format === "ndjson") yield `${JSON.stringify({ keybrake_export: this.#heads })}\n`;
  }

  heads(): SignedHeads {
    if (this.#heads) return this.#heads;
    throw new Problem("conflict", "the export is not written yet", "read its chunks first");
  }

  /** In the order of the chain. A position without a row is left out: `audit verify` is who tells that. */
  async *#whole(count: number, segments: readonly { firstChainSeq: number; lastChainSeq: number }[]) {
    const order = new ChainOrder(this.#options.store, count, { pause: nextTurn });
    const pruned = new Map(segments.map((segment) => [segment.firstChainSeq, segment.lastChainSeq]));
    let rows: ChainedRow[] = [];
    for (let position = 1; position <= count; position++) {
      const last = pruned.get(position);
      const row = last === undefined ? await order.take(position) : undefined;
      if (row) rows.push(row);
      else position = last ?? (order.nextAfter(position) ?? count + 1) - 1;
      if (rows.length < ROWS_PER_CHUNK) continue;
      yield rows;
      rows = [];
    }
    if (rows.length > 0) yield rows;
  }

  async *#selected(filter: AuditFilter) {
    const { store } = this.#options;
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page = await store.queryAudit(filter, { after, limit: ROWS_PER_CHUNK });
      const final = page.rows.filter(({ state }) => state !== "held");
      if (final.length > 0) yield await store.chainRowsAt(final.map(({ seq }) => seq));
      after = page.rows.length < ROWS_PER_CHUNK ? undefined : page.rows.at(-1)!.seq;
      await nextTurn();
    }
  }

  #counted(text: string): string {
    this.#tally.addText(text);
    return text;
  }

  #newestCheckpoint() {
    const { chainKey, config } = this.#options;
    const path = config.auditCheckpointsFile;
    const newest = existsSync(path) ? new CheckpointFile(path, chainKey).newest() : undefined;
    return newest ? { ...checkpointView(chainKey, newest) } : null;
  }
}
