import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { checkpointName, counted } from "../audit/finding.ts";
import { errorCode } from "../vault/private-file.ts";
import type { FindingView } from "./about.ts";
import { CheckpointFile } from "./checkpoint-file.ts";
import type { ControlPlaneOptions } from "./options.ts";
import { rollbackFound } from "./rollback.ts";

type Finding = Omit<FindingView, "check">;

/** A running server writes one a minute. */
const CHECKPOINT_AGE_MAX_MS = 10 * 60_000;

/** Whether checkpoints of the audit chain are written, and say nothing worse. The rows themselves `audit verify` checks. */
export async function auditChain({
  store,
  chainKey,
  config,
  clock,
}: Pick<ControlPlaneOptions, "store" | "chainKey" | "config" | "clock">): Promise<readonly Finding[]> {
  const path = config.auditCheckpointsFile;
  const refused = whyNotWritable(path);
  if (refused) {
    const hint = "mend it, or name another place with audit_checkpoints in keybrake.yaml";
    return [{ level: "error", message: `checkpoints of the audit cannot be written to ${path}: ${refused}`, hint }];
  }
  const newest = new CheckpointFile(path, chainKey).newest();
  const why = await rollbackFound(store, newest);
  if (why) {
    const hint = "`keybrake audit verify` says more; what was spent since is not counted by any cap";
    return [{ level: "error", message: `the data directory was ${why}`, hint }];
  }
  const { count } = await store.chainState();
  if (!newest)
    return [{ level: "ok", message: `no checkpoint yet, and ${counted(count)} in the audit chain`, hint: null }];
  if (count > newest.count && clock.now() - newest.at > CHECKPOINT_AGE_MAX_MS) {
    const message = `the audit chain has ${counted(count)}, and its newest is ${checkpointName(newest)}`;
    const hint = "a running server writes one every minute: see its log for audit_checkpoint_failed";
    return [{ level: "warning", message, hint }];
  }
  return [{ level: "ok", message: `${checkpointName(newest)} agrees with the audit chain`, hint: null }];
}

function whyNotWritable(path: string): string | undefined {
  try {
    accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
    return undefined;
  } catch (cause) {
    return errorCode(cause) ?? "unknown error";
  }
}
