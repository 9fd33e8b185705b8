import { randomBytes } from "node:crypto";
import { Problem } from "../core/problem.ts";
import { Secret } from "../core/secret.ts";
import { AES_KEY_BYTES, BOX_OVERHEAD_BYTES, decrypt, encrypt } from "./aes-gcm.ts";
import type { MasterKey } from "./master-key.ts";

/**
 * A vendor secret as it lies in the store:
 *
 *     1   format version, 1
 *     4   id of the master key
 *     60  the data key, wrapped under the master key: nonce 12, tag 16, ciphertext 32
 *     28… the secret in UTF-8, encrypted under the data key: nonce 12, tag 16, ciphertext
 */
export type SealedSecret = Uint8Array;

/** What a sealed secret belongs to. It opens for no other, so rows cannot be swapped or set back in the database. */
export interface SecretBinding {
  readonly vendor: string;
  readonly secretId: string;
  /** Counts the vendor's secrets from 1; an integer. */
  readonly version: number;
}

const FORMAT_VERSION = 1;
const KEY_ID_BYTES = 4;
const HEADER_BYTES = 1 + KEY_ID_BYTES;
const WRAPPED_KEY_BYTES = BOX_OVERHEAD_BYTES + AES_KEY_BYTES;
const PAYLOAD_AT = HEADER_BYTES + WRAPPED_KEY_BYTES;

// Two domains, so that neither box can ever stand in for the other.
const WRAP_DOMAIN = "keybrake sealed secret v1: data key";
const PAYLOAD_DOMAIN = "keybrake sealed secret v1: payload";

/** Seals `plaintext` under a fresh data key. Sealing the same secret twice gives nothing in common. */
export function seal(masterKey: MasterKey, plaintext: Secret, binding: SecretBinding): SealedSecret {
  const dataKey = randomBytes(AES_KEY_BYTES);
  const payload = Buffer.from(wellFormed(plaintext.reveal(), "a vendor secret"));
  try {
    return Buffer.concat([
      header(masterKey),
      masterKey.wrap(dataKey, additionalData(WRAP_DOMAIN, binding)),
      encrypt(dataKey, payload, additionalData(PAYLOAD_DOMAIN, binding)),
    ]);
  } finally {
    dataKey.fill(0);
    payload.fill(0);
  }
}

/**
 * Opens what `seal` made with the same master key and binding.
 * @throws Problem `unavailable` for another master key or binding, or any changed bit; it never names the bytes.
 */
export function unseal(masterKey: MasterKey, sealed: SealedSecret, binding: SecretBinding): Secret {
  const dataKey = unwrapDataKey(masterKey, sealed, binding);
  try {
    const payload = decrypt(dataKey, sealed.subarray(PAYLOAD_AT), additionalData(PAYLOAD_DOMAIN, binding));
    if (payload === undefined) throw damaged(binding);
    const secret = new Secret(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString());
    payload.fill(0);
    return secret;
  } finally {
    dataKey.fill(0);
  }
}

/**
 * The same secret, its data key wrapped under `newKey`. The secret itself is neither opened nor encrypted again.
 * @throws Problem `unavailable` as `unseal` does, for what is wrong with the wrapped key.
 */
export function rewrap(
  oldKey: MasterKey,
  newKey: MasterKey,
  sealed: SealedSecret,
  binding: SecretBinding,
): SealedSecret {
  const dataKey = unwrapDataKey(oldKey, sealed, binding);
  try {
    const wrapped = newKey.wrap(dataKey, additionalData(WRAP_DOMAIN, binding));
    return Buffer.concat([header(newKey), wrapped, sealed.subarray(PAYLOAD_AT)]);
  } finally {
    dataKey.fill(0);
  }
}

/** The id of the master key that `sealed` says it was sealed under. */
export function sealedUnder(sealed: SealedSecret): string {
  return Buffer.from(sealed.subarray(1, HEADER_BYTES)).toString("hex");
}

function unwrapDataKey(masterKey: MasterKey, sealed: SealedSecret, binding: SecretBinding): Uint8Array {
  if (sealed.length < PAYLOAD_AT + BOX_OVERHEAD_BYTES) throw damaged(binding);
  if (sealed[0] !== FORMAT_VERSION) throw unknownFormat(sealed[0]!, binding);
  if (sealedUnder(sealed) !== masterKey.id) throw wrongKey(masterKey, sealed, binding);
  const box = sealed.subarray(HEADER_BYTES, PAYLOAD_AT);
  const dataKey = masterKey.unwrap(box, additionalData(WRAP_DOMAIN, binding));
  if (dataKey === undefined) throw damaged(binding);
  return dataKey;
}

function header(masterKey: MasterKey): Uint8Array {
  return Buffer.concat([Uint8Array.of(FORMAT_VERSION), Buffer.from(masterKey.id, "hex")]);
}

/** Every part with its length before it, so that no two bindings are written alike (`ab` + `c`, `a` + `bc`). */
function additionalData(domain: string, { vendor, secretId, version }: SecretBinding): Uint8Array {
  if (!Number.isSafeInteger(version)) throw new RangeError(`a secret's version is an integer, not ${version}`);
  const parts = [domain, vendor, secretId, String(version)].map((part) => Buffer.from(wellFormed(part, "a binding")));
  return Buffer.concat(parts.flatMap((part) => [length32(part), part]));
}

function length32(part: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(part.length);
  return length;
}

/** UTF-8 writes every lone surrogate as U+FFFD: two texts would become one, and a secret would come back as another. */
function wellFormed(text: string, what: string): string {
  if (!text.isWellFormed()) throw new Problem("invalid", `${what} must be Unicode text`, "give it again as UTF-8");
  return text;
}

function wrongKey(masterKey: MasterKey, sealed: SealedSecret, binding: SecretBinding): Problem {
  return new Problem(
    "unavailable",
    `${named(binding)} was sealed under master key ${sealedUnder(sealed)}, this is master key ${masterKey.id}`,
    `start with the master key file that sealed it, or give the secret again: keybrake vendor set ${binding.vendor}`,
  );
}

function unknownFormat(version: number, binding: SecretBinding): Problem {
  return new Problem(
    "unavailable",
    `${named(binding)} is sealed in format ${version}, this Keybrake reads format ${FORMAT_VERSION}`,
    `start the newer version of Keybrake that wrote it, or give the secret again: keybrake vendor set ${binding.vendor}`,
  );
}

function damaged(binding: SecretBinding): Problem {
  return new Problem(
    "unavailable",
    `${named(binding)} cannot be opened: it is damaged, or was sealed for another vendor, id or version`,
    `restore the database from a backup, or give the secret again: keybrake vendor set ${binding.vendor}`,
  );
}

function named({ vendor, secretId, version }: SecretBinding): string {
  return `the secret ${secretId} (version ${version}) of vendor ${vendor}`;
}
