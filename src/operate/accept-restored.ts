import { existsSync } from "node:fs";
import type { Config } from "../config.ts";
import type { EpochMs } from "../core/window.ts";
import type { Store } from "../store/store.ts";
import { openChainKey } from "../vault/chain-key.ts";
import { loadMasterKey } from "../vault/master-key.ts";
import { CheckpointFile } from "./checkpoint-file.ts";
import { rollbackFound } from "./rollback.ts";

/**
 * Puts on record that an operator accepts a database older than its newest checkpoint. Without it the next look at the
 * checkpoints would stop the keys again, and `audit verify` would find a tail cut off for ever.
 * @returns false where the checkpoints say nothing against the database.
 * @throws Problem where the chain's key does not open, or the place of the checkpoints cannot be written.
 */
export async function acceptRestored(
  store: Pick<Store, "chainKey" | "chainState" | "recentChainHash">,
  config: Pick<Config, "auditCheckpointsFile" | "masterKeyFile" | "masterKeyCandidates">,
  dataDir: string,
  at: EpochMs,
): Promise<boolean> {
  const sealed = await store.chainKey();
  if (!sealed || !existsSync(config.auditCheckpointsFile)) return false;
  const places = { dataDir, keyFile: config.masterKeyFile, candidates: config.masterKeyCandidates };
  const file = new CheckpointFile(config.auditCheckpointsFile, openChainKey(loadMasterKey(places), sealed));
  if ((await rollbackFound(store, file.newest())) === undefined) return false;
  const { count, hash, costMicros } = await store.chainState();
  file.append({ count, hash, costMicros, at, restored: true });
  return true;
}
