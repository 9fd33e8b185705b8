import { Database } from "bun:sqlite";
import type { ChainSource } from "../../src/audit/chained-row.ts";
import type { Checkpoint } from "../../src/audit/checkpoint.ts";
import { verifyChain } from "../../src/audit/verify.ts";
import { SqliteAuditChain } from "../../src/store/sqlite/audit-chain.ts";
import { AuditSegments } from "../../src/store/sqlite/audit-segments.ts";
import { NOON } from "../ledger/entries.ts";
import { openTemporaryStore } from "../store/temporary-database.ts";
import { CHAIN_KEY, recordHistory } from "./chain-history.ts";
import { Random } from "./random.ts";
import { randomTampering, type Tampering } from "./tamperings.ts";

export interface TamperRuns {
  readonly runs: number;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
}

export interface TamperResult {
  readonly runs: number;
  /** Tamperings that were found, and of which the first bad row was named. */
  readonly found: number;
  readonly missed: readonly string[];
  readonly kinds: Readonly<Record<string, number>>;
}

const CALLS = 60;
const PRUNED_ROWS = 12;
const MISSED_MAX = 20;

/**
 * Tampers with a database in `runs` random ways, each from the same good state: a bit flipped in any column, an update, a
 * delete, a forged row, two rows swapped, a tail cut off, the ledger's own words about the chain, and the segments that
 * stand for pruned rows. Verification must find each and name the first bad row.
 */
export async function tamperRuns({ runs, seed, onProgress }: TamperRuns): Promise<TamperResult> {
  const random = new Random(seed);
  const subject = await openTemporaryStore();
  try {
    subject.store.useChainKey(CHAIN_KEY);
    await recordHistory(subject.store, { calls: CALLS, random });
    await pruneBeginning(subject.store);
    const state = await subject.store.chainState();
    const database = openRaw(subject.path);
    try {
      const source = chainSource(database);
      const checkpoint: Checkpoint = { ...state, at: NOON, restored: false };
      return await attack(database, source, checkpoint, { runs, random, onProgress });
    } finally {
      database.close();
    }
  } finally {
    await subject.close();
  }
}

async function pruneBeginning(store: Awaited<ReturnType<typeof openTemporaryStore>>["store"]): Promise<void> {
  const rows = await store.chainRows(0n, 1_000);
  const first = rows.toSorted((a, b) => a.chainSeq - b.chainSeq).slice(0, PRUNED_ROWS);
  if (!(await store.pruneAudit(first.slice(0, 5), 5, NOON))) throw new Error("the history could not be pruned");
  if (!(await store.pruneAudit(first.slice(5), 5, NOON))) throw new Error("the history could not be pruned");
}

/** As somebody with the file and an editor has it: no constraint and no index is in the way. */
function openRaw(path: string): Database {
  const database = new Database(path, { strict: true, safeIntegers: true });
  database.run("PRAGMA ignore_check_constraints = ON");
  database.run("DROP INDEX audit_rows_id");
  database.run("DROP INDEX audit_rows_refers_to");
  return database;
}

function chainSource(database: Database): ChainSource {
  const chain = new SqliteAuditChain(database, new AuditSegments(database, () => CHAIN_KEY, { keep: () => {} }));
  return {
    chainState: async () => chain.state(),
    chainRows: async (place, limit) => chain.rows(place, limit),
    findChainRows: async (search) => chain.find(search),
    auditSegments: async () => chain.segments(),
  };
}

async function attack(
  database: Database,
  source: ChainSource,
  checkpoint: Checkpoint,
  { runs, random, onProgress }: { runs: number; random: Random; onProgress: TamperRuns["onProgress"] },
): Promise<TamperResult> {
  const missed: string[] = [];
  const kinds: Record<string, number> = {};
  let found = 0;
  for (let run = 0; run < runs; run++) {
    database.run("BEGIN");
    const tampering = randomTampering(database, random);
    const wrong = await whatWasMissed(source, checkpoint, tampering);
    database.run("ROLLBACK");
    kinds[tampering.kind] = (kinds[tampering.kind] ?? 0) + 1;
    if (wrong === undefined) found += 1;
    else if (missed.length < MISSED_MAX) missed.push(`run ${run}: ${tampering.what}: ${wrong}`);
    if (run % 100 === 99) onProgress?.(run + 1);
  }
  return { runs, found, missed, kinds };
}

/** Undefined where the finding names what was done first. */
async function whatWasMissed(
  source: ChainSource,
  checkpoint: Checkpoint,
  { kind, first }: Tampering,
): Promise<string | undefined> {
  const { finding } = await verifyChain(source, CHAIN_KEY, { checkpoints: [checkpoint] });
  if (!finding) return "was not found";
  const isNamed = first.some(({ chainSeq, id }) => chainSeq === finding.chainSeq && id === finding.id);
  if (isNamed && kind === "insert" && finding.fault !== "inserted") return `was called ${finding.fault}`;
  if (isNamed) return undefined;
  return `found position ${finding.chainSeq}, ${finding.id} (${finding.message}), not ${JSON.stringify(first)}`;
}
