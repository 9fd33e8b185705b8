import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const ALGORITHM = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export const AES_KEY_BYTES = 32;

/** How much longer a box is than what is in it: nonce and tag. */
export const BOX_OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES;

/** AES-256-GCM under a fresh random nonce, as one box: nonce, tag, ciphertext. `aad` is authenticated and not in it. */
export function encrypt(key: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]);
}

/** What is in `box`, or undefined where key, `aad` or any bit of it is another. */
export function decrypt(key: Uint8Array, box: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
  if (box.length < BOX_OVERHEAD_BYTES) return undefined;
  // The tag's length is pinned: GCM otherwise takes a 4-byte tag, which a forger finds in 2^32 tries.
  const decipher = createDecipheriv(ALGORITHM, key, box.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(box.subarray(NONCE_BYTES, BOX_OVERHEAD_BYTES));
  const plaintext = decipher.update(box.subarray(BOX_OVERHEAD_BYTES));
  try {
    decipher.final(); // GCM has no last block: this only checks the tag
    return plaintext;
  } catch {
    plaintext.fill(0);
    return undefined;
  }
}
