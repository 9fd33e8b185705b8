import { randomBytes } from "node:crypto";
import { Problem } from "../core/problem.ts";
import { Secret } from "../core/secret.ts";
import type { MasterKey } from "./master-key.ts";
import { type SealedSecret, type SecretBinding, seal, unseal } from "./seal.ts";

/** The key of the audit chain as it lies in the store, sealed as vendor secrets are. */
export interface SealedChainKey {
  /** `chain_…`; not secret. */
  readonly id: string;
  readonly sealed: SealedSecret;
}

const KEY_BYTES = 32;

/** No vendor can have this name: it has a colon. */
const BOUND_TO = "keybrake:audit-chain";

/** A new key, sealed. */
export function makeChainKey(masterKey: MasterKey): SealedChainKey {
  const id = `chain_${randomBytes(8).toString("hex")}`;
  const key = randomBytes(KEY_BYTES);
  const sealed = seal(masterKey, new Secret(key.toString("base64")), chainKeyBinding(id));
  key.fill(0);
  return { id, sealed };
}

/** @throws Problem `unavailable` where it was sealed under another master key, or is damaged. */
export function openChainKey(masterKey: MasterKey, { id, sealed }: SealedChainKey): Uint8Array {
  try {
    const key = Buffer.from(unseal(masterKey, sealed, chainKeyBinding(id)).reveal(), "base64");
    if (key.length === KEY_BYTES) return key;
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause;
  }
  throw new Problem(
    "unavailable",
    `the key ${id} of the audit chain cannot be opened with master key ${masterKey.id}`,
    "put back the master key file that belongs to this database: without it no row can be added or checked",
  );
}

/** What the key is sealed for; `rewrap` needs it where the master key changes. */
export function chainKeyBinding(id: string): SecretBinding {
  return { vendor: BOUND_TO, secretId: id, version: 1 };
}
