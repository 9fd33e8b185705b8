import { join } from "node:path";
import type { Config } from "../config.ts";
import type { Clock } from "../core/clock.ts";
import { Problem } from "../core/problem.ts";
import { BudgetSet } from "../policy/budget-set.ts";
import { writeBuiltinTemplates } from "../policy/builtin.ts";
import { readTemplates, type TemplateSet } from "../policy/template-set.ts";
import { openStore } from "../store/open.ts";
import type { Store } from "../store/store.ts";
import { prepareDataDir } from "../vault/data-dir.ts";
import { createMasterKey, loadMasterKey, type MasterKey } from "../vault/master-key.ts";
import { useChainKey } from "./chain-key.ts";
import { finishRekey, ownKeyPath } from "./rekey.ts";

/** What lies in a data directory, opened; the server and the local CLI work on the same. */
export interface Installation {
  /** The data directory's real path. */
  readonly dataDir: string;
  readonly store: Store;
  /** The one that counts: the machine's, or that of the database's server. */
  readonly clock: Clock;
  readonly masterKey: MasterKey;
  /** Hashes the rows of the audit chain, and signs its checkpoints and exports. */
  readonly chainKey: Uint8Array;
  readonly templates: TemplateSet;
  /** Those above keys; the file is read when they are first asked for. */
  readonly budgets: BudgetSet;
}

/**
 * Opens the data directory, and makes what is missing at first use: the directory (0700), the master key (0600), the
 * database, the key of its audit chain, the built-in templates.
 * @param note takes what people should know of it.
 * @throws Problem where something there is not as it must be; nothing is opened then.
 */
export async function openInstallation(
  config: Config,
  ownClock: Clock,
  note: (text: string) => void = () => {},
): Promise<Installation> {
  const dataDir = prepareDataDir(config.dataDir);
  const { store, clock } = await openStore(config.storeUrl, dataDir, ownClock);
  try {
    const ended = await finishRekey(store, ownKeyPath(config, dataDir));
    if (ended !== undefined) note(ended);
    const masterKey = await openMasterKey(config, dataDir, store);
    const chainKey = await useChainKey(store, masterKey);
    const ownTemplates = join(dataDir, "policies");
    if (config.policiesDir === join(config.dataDir, "policies")) writeBuiltinTemplates(ownTemplates);
    const vendors = config.vendors.map(({ name }) => name);
    const budgets = new BudgetSet(config.policiesDir, vendors);
    return { dataDir, store, clock, masterKey, chainKey, templates: readTemplates(config.policiesDir), budgets };
  } catch (cause) {
    await store.close();
    throw cause;
  }
}

/** The master key; a new one only where nothing is sealed yet, since a new key cannot open what an old one sealed. */
async function openMasterKey(config: Config, dataDir: string, store: Store): Promise<MasterKey> {
  const places = { dataDir, keyFile: config.masterKeyFile, candidates: config.masterKeyCandidates };
  try {
    return loadMasterKey(places);
  } catch (cause) {
    if (!(cause instanceof Problem) || cause.code !== "not_found" || config.masterKeyFile !== undefined) throw cause;
    const sealed = (await store.listVendors()).filter((vendor) => vendor.sealedSecret);
    const hasRows = (await store.chainState()).count > 0;
    if (sealed.length > 0 || hasRows) throw cause;
  }
  try {
    return createMasterKey(places);
  } catch (cause) {
    // Another process that started at the same moment was faster.
    if (cause instanceof Problem && cause.code === "conflict") return loadMasterKey(places);
    throw cause;
  }
}
