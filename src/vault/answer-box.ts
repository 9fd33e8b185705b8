import { randomBytes } from "node:crypto";
import { AES_KEY_BYTES, BOX_OVERHEAD_BYTES, decrypt, encrypt } from "./aes-gcm.ts";
import type { MasterKey } from "./master-key.ts";

const WRAPPED_KEY_BYTES = BOX_OVERHEAD_BYTES + AES_KEY_BYTES;
const WRAP_DOMAIN = Buffer.from("keybrake recorded answer v1: data key");
const ANSWER_DOMAIN = "keybrake recorded answer v1: answer";

/**
 * Seals vendors' answers for their repeats: they hold customers' data, and whoever reads a backup must not. One data key
 * a process, wrapped under the master key and carried by every box, so that sealing costs one encryption.
 */
export class AnswerBox {
  readonly #masterKey: MasterKey;
  readonly #dataKey = randomBytes(AES_KEY_BYTES);
  readonly #wrapped: Uint8Array;

  constructor(masterKey: MasterKey) {
    this.#masterKey = masterKey;
    this.#wrapped = masterKey.wrap(this.#dataKey, WRAP_DOMAIN);
  }

  /** @param belongsTo what the answer is of; it opens for no other. */
  seal(answer: Uint8Array, belongsTo: string): Uint8Array {
    return Buffer.concat([this.#wrapped, encrypt(this.#dataKey, answer, additionalData(belongsTo))]);
  }

  /** Undefined for another master key, another owner or any changed bit. */
  open(box: Uint8Array, belongsTo: string): Uint8Array | undefined {
    const dataKey = this.#masterKey.unwrap(box.subarray(0, WRAPPED_KEY_BYTES), WRAP_DOMAIN);
    return dataKey && decrypt(dataKey, box.subarray(WRAPPED_KEY_BYTES), additionalData(belongsTo));
  }
}

/** The same answer, its data key wrapped under `newKey`; undefined where `oldKey` does not open it. */
export function rewrapAnswer(oldKey: MasterKey, newKey: MasterKey, box: Uint8Array): Uint8Array | undefined {
  const dataKey = oldKey.unwrap(box.subarray(0, WRAPPED_KEY_BYTES), WRAP_DOMAIN);
  if (!dataKey) return undefined;
  const wrapped = newKey.wrap(dataKey, WRAP_DOMAIN);
  dataKey.fill(0);
  return Buffer.concat([wrapped, box.subarray(WRAPPED_KEY_BYTES)]);
}

function additionalData(belongsTo: string): Uint8Array {
  return Buffer.from(`${ANSWER_DOMAIN}\0${belongsTo}`);
}
