import type { AuditFilter } from "../store/store.ts";

/** What operators and auditors can do with the audit chain: a part of `ControlPlane`. */
export interface AuditChainVerbs {
  /** Checks the whole audit chain. What is wrong with it is an answer, no error. */
  verifyAudit(request?: VerifyAuditRequest): Promise<AuditVerdictView>;
  /** Checks a file that `exportAudit` made. */
  verifyExport(path: string): Promise<ExportVerdictView>;
  exportAudit(request: ExportAuditRequest): AuditExport;
  /** Removes old rows; segments stand for them, so that the chain can still be checked. */
  pruneAudit(request: PruneAuditRequest): Promise<PruneAuditView>;
}

export interface VerifyAuditRequest {
  /** Checkpoints beside the installation's own: copies that were kept elsewhere. */
  readonly checkpoints?: readonly CheckpointText[];
  readonly onProgress?: (done: number, of: number) => void;
}

/** A file of checkpoints as it was read. */
export interface CheckpointText {
  /** For messages: its path. */
  readonly name: string;
  readonly lines: AsyncIterable<string> | Iterable<string>;
  /** The number of the first of the lines in the file; 1 where it is left out. */
  readonly firstLine?: number;
}

/** The first thing that is wrong with the chain. */
export interface AuditFindingView {
  /** `changed`, `missing`, `inserted`, `moved`, `tail_cut_off`, … */
  readonly fault: string;
  /** The position in the chain, from 1. */
  readonly chain_seq: number;
  /** Of the first bad row; null where it is not there. */
  readonly id: string | null;
  readonly called_at: string | null;
  readonly message: string;
}

export interface AuditVerdictView {
  readonly ok: boolean;
  /** Positions of the chain that are as they must be. */
  readonly count: number;
  readonly rows: number;
  readonly pruned_rows: number;
  readonly sum_usd: string;
  /** The hash of the newest row, in hex. */
  readonly head: string;
  /** Checkpoints that the chain was compared with. */
  readonly checkpoints: number;
  readonly finding: AuditFindingView | null;
}

export interface ExportVerdictView {
  readonly ok: boolean;
  readonly rows: number;
  readonly sum_usd: string;
  /** False for a selection of rows: nobody can see from it what was left out. */
  readonly complete: boolean;
  /** False where the key is not at hand. */
  readonly hashes_checked: boolean;
  readonly finding: { readonly line: number; readonly id: string | null; readonly message: string } | null;
}

export interface ExportAuditRequest {
  readonly filter: AuditFilter;
  readonly format: "ndjson" | "csv";
}

export interface AuditExport {
  /** The file's text, piece by piece. NDJSON ends with the heads as its last line. */
  readonly chunks: AsyncIterable<string>;
  /** What a check of the file needs; once the chunks are read. */
  heads(): Readonly<Record<string, unknown>>;
}

export interface PruneAuditRequest {
  /** Rows of calls that ended longer ago than this are removed; a day at least. */
  readonly olderThanMs: number;
  /** Only says what would be removed. */
  readonly dryRun?: boolean;
  readonly onProgress?: (removed: number) => void;
}

export interface PruneAuditView {
  readonly rows: number;
  /** Unresolved calls that are older, too, and stay until they are resolved. */
  readonly kept_unresolved: number;
  readonly before: string;
  readonly dry_run: boolean;
}

export interface AuditTotalsView {
  readonly calls: number;
  readonly refused: number;
  readonly settled_usd: string;
  readonly held_usd: string;
  readonly unresolved_usd: string;
}
