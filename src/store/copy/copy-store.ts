import { createHash } from "node:crypto";
import { Problem } from "../../core/problem.ts";
import type { EpochMs } from "../../core/window.ts";
import type { SealedChainKey } from "../../vault/chain-key.ts";
import type { CopyEnd, CopyKey, CopyRow, CopyTable } from "./copy-end.ts";
import { type CopyProgress, GROWING_TABLE, MOVED, pages, StepCounter } from "./copy-pages.ts";
import { type CopyProof, prove } from "./copy-proof.ts";

export interface CopyOptions {
  readonly now: EpochMs;
  /** Opens the key of the audit chain, which is copied as it is sealed. */
  readonly openChainKey: (sealed: SealedChainKey) => Uint8Array;
  readonly onProgress: (progress: CopyProgress) => void;
}

export interface CopyReport extends CopyProof {
  /** Audit rows that an earlier run had copied. */
  readonly resumedRows: number;
}

/**
 * Copies an installation and proves that the copy is it. Until then the target is marked as half of a copy, which nothing
 * opens; from then on the source is frozen, so that no key spends twice.
 * @throws Problem where somebody uses the source, the target has something else in it, or the copy is not the source.
 */
export async function copyStore(
  source: CopyEnd,
  target: CopyEnd,
  tables: readonly CopyTable[],
  options: CopyOptions,
): Promise<CopyReport> {
  // First without the lock, which would keep the calls of a server that lives waiting.
  await refuseInUse(source, "source", options.now);
  await source.holdWriters(tables);
  await refuseInUse(source, "source", options.now);
  await refuseWrongCounters(source);
  const resumes = await begin(source, target, tables, options.now);
  const total = await countAll(source, tables);
  const progress = new StepCounter(total, "copied", options.onProgress);
  const resumedRows = await copyAll(source, target, tables, resumes, progress);
  await target.derive(tables);
  const key = await source.sealedChainKey().then((sealed) => (sealed ? options.openChainKey(sealed) : undefined));
  const proof = await prove({ source, target, tables, key, total, onProgress: options.onProgress }).catch(
    async (cause: unknown) => {
      if (cause instanceof Problem) await distrust(target, options.now);
      throw cause;
    },
  );
  // In this order: a run that ends between the two leaves nothing that spends, and the next one goes on from here.
  await source.freezeSource(`${MOVED}${target.place}`, options.now);
  await target.removeMark();
  return { ...proof, resumedRows };
}

/** What does not stand up to its proof is not gone on with: the next run begins anew. */
async function distrust(target: CopyEnd, now: EpochMs): Promise<void> {
  const [id] = (await target.mark())!.split(":");
  await target.putMark(`${id}:`, now);
}

async function refuseInUse(end: CopyEnd, role: "source" | "target", now: EpochMs): Promise<void> {
  const [owner] = await end.livingOwners(now);
  if (owner === undefined) return;
  const [host, pid] = owner.split(":");
  throw new Problem(
    "conflict",
    `the ${role} ${end.place} is in use by a server (process ${pid ?? "?"} on ${host})`,
    "stop the server; one that was killed counts as running for 15 seconds",
  );
}

async function refuseWrongCounters(source: CopyEnd): Promise<void> {
  const wrong = await source.counterMismatches();
  if (wrong.length === 0) return;
  throw new Problem(
    "conflict",
    `in the source ${wrong.length} counters are not the sum of their calls, ${wrong[0]!.budgetId} among them`,
    "`keybrake doctor` says more; what is wrong is not copied",
  );
}

/** Marks the target, or finds the mark of an earlier run. @returns whether its audit rows can be gone on with. */
async function begin(source: CopyEnd, target: CopyEnd, tables: readonly CopyTable[], now: EpochMs): Promise<boolean> {
  const { id, state } = await fingerprint(source, tables);
  const mark = await target.mark();
  if (mark === undefined) {
    await refuseInUse(target, "target", now);
    const table = await target.firstTableInUse(tables);
    if (table !== undefined) throw notEmpty(target, table);
  } else if (mark.split(":")[0] !== id) {
    throw new Problem(
      "conflict",
      `the target ${target.place} is half of a copy of another installation`,
      "copy into a new database, or remove that one",
    );
  }
  await target.putMark(`${id}:${state}`, now);
  return mark === `${id}:${state}`;
}

function notEmpty(target: CopyEnd, table: string): Problem {
  return new Problem(
    "conflict",
    `the target ${target.place} is not empty: there are rows in ${table}`,
    "copy into a new database; nothing that is there is ever replaced",
  );
}

/** Which installation the source is (its chain key), and whether its audit rows are those of the last run. */
async function fingerprint(source: CopyEnd, tables: readonly CopyTable[]): Promise<{ id: string; state: string }> {
  const sealed = await source.sealedChainKey();
  const state: CopyRow[] = [];
  for (const table of tables.filter(({ name }) => name === "ledger_state" || name === "audit_segments")) {
    for await (const page of pages(source, table, undefined)) state.push(...page);
  }
  return { id: digest(sealed?.id ?? "no chain key"), state: digest(JSON.stringify(state)) };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

async function countAll(source: CopyEnd, tables: readonly CopyTable[]): Promise<number> {
  let total = 0;
  for (const table of tables) total += await source.count(table);
  return total;
}

async function copyAll(
  source: CopyEnd,
  target: CopyEnd,
  tables: readonly CopyTable[],
  resumes: boolean,
  progress: StepCounter,
): Promise<number> {
  let resumedRows = 0;
  for (const table of tables) {
    let after: CopyKey | undefined;
    if (resumes && table.name === GROWING_TABLE) {
      after = await target.lastKey(table);
      resumedRows = await target.count(table);
      progress.add(resumedRows);
    } else await target.empty(table);
    for await (const page of pages(source, table, after)) {
      await target.insert(table, page);
      progress.add(page.length);
    }
  }
  return resumedRows;
}
