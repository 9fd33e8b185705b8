import { existsSync } from "node:fs";
import type { Checkpoint } from "../audit/checkpoint.ts";
import type { ChainFinding } from "../audit/finding.ts";
import { type ChainVerdict, verifyChain } from "../audit/verify.ts";
import { formatUsd } from "../core/money.ts";
import type { AuditFindingView, AuditVerdictView, VerifyAuditRequest } from "./audit-chain-verbs.ts";
import { checkpointsIn, readCheckpoints } from "./checkpoint-file.ts";
import type { ControlPlaneOptions } from "./options.ts";

/** Checks the whole audit chain against its key, its head and its checkpoints; nothing is changed, and calls go on. */
export async function verifyAudit(
  { store, chainKey, config }: Pick<ControlPlaneOptions, "store" | "chainKey" | "config">,
  { checkpoints: own = [], onProgress }: VerifyAuditRequest = {},
): Promise<AuditVerdictView> {
  const checkpoints: Checkpoint[] = [];
  let badLine: ChainFinding | undefined;
  const ours = existsSync(config.auditCheckpointsFile) ? [checkpointsIn(config.auditCheckpointsFile)] : [];
  for (const text of [...ours, ...own]) {
    const read = await readCheckpoints(chainKey, text);
    if ("fault" in read) badLine ??= read;
    else checkpoints.push(...read);
  }
  checkpoints.sort((a, b) => a.count - b.count);
  const verdict = await verifyChain(store, chainKey, { checkpoints, onProgress, pause: nextTurn });
  return verdictView({ ...verdict, finding: verdict.finding ?? badLine });
}

/** Lets what waits in this process have its turn: a server answers calls meanwhile. */
export function nextTurn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

function verdictView({ head, rows, prunedRows, checkpoints, finding }: ChainVerdict): AuditVerdictView {
  return {
    ok: finding === undefined,
    count: head.count,
    rows,
    pruned_rows: prunedRows,
    sum_usd: formatUsd(head.costMicros),
    head: Buffer.from(head.hash).toString("hex"),
    checkpoints,
    finding: finding ? findingView(finding) : null,
  };
}

export function findingView({ fault, chainSeq, id, calledAt, message }: ChainFinding): AuditFindingView {
  const called_at = calledAt === null ? null : new Date(calledAt).toISOString();
  return { fault, chain_seq: chainSeq, id, called_at, message };
}
