import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import { inspect } from "node:util";
import { Problem } from "../core/problem.ts";
import { AES_KEY_BYTES, decrypt, encrypt } from "./aes-gcm.ts";
import { crc32 } from "./crc32.ts";
import { createPrivateFile, readPrivateFile } from "./private-file.ts";

export const MASTER_KEY_FILE = "master.key";

const REDACTED = "[redacted]";
const ID_DOMAIN = "keybrake master key id\0";
const FORMAT_VERSION = "1";
const FILE_BYTES_MAX = 1024;
const FILE_PATTERN = /^(keybrake-master-key v([1-9][0-9]{0,3})\n[A-Za-z0-9+/=]{1,512})\n([0-9a-f]{8})\n?$/;

/**
 * The key that wraps the data key of every vendor secret. It prints as `[redacted]`, and its bytes cannot be had from it
 * at all: it only wraps and unwraps.
 */
export class MasterKey {
  readonly #bytes: Uint8Array;
  /** Tells keys apart in messages and sealed secrets: 8 hex characters of a hash of its own domain. Not secret. */
  readonly id: string;

  constructor(bytes: Uint8Array) {
    if (bytes.length !== AES_KEY_BYTES) throw new RangeError(`a master key has ${AES_KEY_BYTES} bytes`);
    this.#bytes = Uint8Array.from(bytes);
    this.id = createHash("sha256").update(ID_DOMAIN).update(bytes).digest("hex").slice(0, 8);
  }

  /** `dataKey` in a box (see aes-gcm.ts) that opens only with the same `aad`. */
  wrap(dataKey: Uint8Array, aad: Uint8Array): Uint8Array {
    return encrypt(this.#bytes, dataKey, aad);
  }

  /** The data key in `box`, or undefined where it was wrapped under another key or `aad`, or is damaged. */
  unwrap(box: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
    return decrypt(this.#bytes, box, aad);
  }

  isSameAs(other: MasterKey): boolean {
    return timingSafeEqual(this.#bytes, other.#bytes);
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}

/** Where a master key may lie. */
export interface MasterKeyPlaces {
  readonly dataDir: string;
  /** Named by the operator instead of `master.key` in the data directory. */
  readonly keyFile?: string | undefined;
  /**
   * A systemd credential or Docker secret. Its mode is not judged: both are handed over read-only by root, readable to a
   * group (systemd, with User=) or to all in the container (Docker).
   */
  readonly candidates: readonly string[];
}

/**
 * Reads the one master key there is.
 * @throws Problem `not_found` where there is none; `conflict` for a second key; `forbidden` for a file of another user or
 * one that others can read; `unavailable` for a damaged one.
 */
export function loadMasterKey(places: MasterKeyPlaces): MasterKey {
  const found = findMasterKeys(places);
  const [first, ...others] = found;
  if (first === undefined || (places.keyFile !== undefined && first.path !== places.keyFile)) throw missing(places);
  const second = others.find((other) => !other.key.isSameAs(first.key));
  if (second === undefined) return first.key;
  throw new Problem(
    "conflict",
    `there is a second master key: ${first.path} holds key ${first.key.id}, ${second.path} holds key ${second.key.id}`,
    "keep the one that sealed the vendor secrets and move the other one away",
  );
}

/**
 * Makes the first master key, in `keyFile` or the data directory, and reads it back from there.
 * Only for a store that holds no sealed secret: those need the key that they were sealed under.
 * @throws Problem `conflict` where there is a key in any place already, also when another process was faster.
 */
export function createMasterKey(places: MasterKeyPlaces): MasterKey {
  const existing = findMasterKeys(places)[0];
  if (existing !== undefined) throw alreadyThere(existing.path);
  return createMasterKeyFile(places.keyFile ?? join(places.dataDir, MASTER_KEY_FILE));
}

/**
 * Makes a new master key in a new file at `path` (0600, on disk when this returns), whatever other keys there are: for
 * `keybrake rekey`.
 * @throws Problem `conflict` where the file is there already.
 */
export function createMasterKeyFile(path: string): MasterKey {
  const bytes = randomBytes(AES_KEY_BYTES);
  const created = createPrivateFile(path, masterKeyText(bytes));
  bytes.fill(0);
  if (!created) throw alreadyThere(path);
  const key = readMasterKeyFile(path, { strict: true });
  if (key === undefined) throw new Problem("unavailable", `${path} vanished after it was written`, "start again");
  return key;
}

/** The key in the file at `path`, or undefined where there is none; `strict` refuses a file that others can reach. */
export function readMasterKeyFile(path: string, options: { readonly strict: boolean }): MasterKey | undefined {
  const text = readPrivateFile(path, { ...options, bytesMax: FILE_BYTES_MAX });
  return text === undefined ? undefined : parseMasterKey(text, path);
}

interface FoundKey {
  readonly path: string;
  readonly key: MasterKey;
}

/** All of them, in the order in which they count: the operator's choice, the data directory's, what was handed over. */
function findMasterKeys({ dataDir, keyFile, candidates }: MasterKeyPlaces): FoundKey[] {
  const paths = new Set([...(keyFile === undefined ? [] : [keyFile]), join(dataDir, MASTER_KEY_FILE), ...candidates]);
  return [...paths].flatMap((path) => {
    const key = readMasterKeyFile(path, { strict: !candidates.includes(path) });
    return key === undefined ? [] : [{ path, key }];
  });
}

function missing({ dataDir, keyFile, candidates }: MasterKeyPlaces): Problem {
  const paths = keyFile === undefined ? [join(dataDir, MASTER_KEY_FILE), ...candidates] : [keyFile];
  return new Problem(
    "not_found",
    `there is no master key: looked for ${paths.join(", ")}`,
    "put the key file back from its backup; vendor secrets that it sealed cannot be opened without it",
  );
}

function alreadyThere(path: string): Problem {
  return new Problem(
    "conflict",
    `${path} holds a master key already, a second one is not created`,
    "use that one, or replace it with `keybrake rekey`",
  );
}

/** Three lines: what and which version, the key in base64, the CRC-32 of both, so that damage is told from a wrong key. */
function masterKeyText(bytes: Uint8Array): string {
  const checked = `keybrake-master-key v${FORMAT_VERSION}\n${Buffer.from(bytes).toString("base64")}`;
  return `${checked}\n${checksum(checked)}\n`;
}

function parseMasterKey(text: string, path: string): MasterKey {
  const match = FILE_PATTERN.exec(text);
  if (match === null || checksum(match[1]!) !== match[3]) throw damaged(path);
  if (match[2] !== FORMAT_VERSION) {
    throw new Problem(
      "unavailable",
      `${path} is a master key of format ${match[2]}, this Keybrake reads format ${FORMAT_VERSION}`,
      "start the newer version of Keybrake that wrote it",
    );
  }
  const bytes = Buffer.from(match[1]!.slice(match[1]!.indexOf("\n") + 1), "base64");
  if (bytes.length !== AES_KEY_BYTES) throw damaged(path);
  const key = new MasterKey(bytes);
  bytes.fill(0);
  return key;
}

function damaged(path: string): Problem {
  return new Problem("unavailable", `${path} is damaged: no whole master key is in it`, "put it back from its backup");
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}
