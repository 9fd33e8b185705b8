import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from "node:zlib";

/** A compressed answer may not grow beyond this, in bytes (a decompression bomb). */
const DECODED_BYTES_MAX = 16 * 1024 * 1024;

const DECODERS: Readonly<Record<string, (body: Uint8Array) => Uint8Array>> = {
  gzip: (body) => gunzipSync(body, { maxOutputLength: DECODED_BYTES_MAX }),
  "x-gzip": (body) => gunzipSync(body, { maxOutputLength: DECODED_BYTES_MAX }),
  deflate: (body) => inflateSync(body, { maxOutputLength: DECODED_BYTES_MAX }),
  br: (body) => brotliDecompressSync(body, { maxOutputLength: DECODED_BYTES_MAX }),
  zstd: (body) => zstdDecompressSync(body, { maxOutputLength: DECODED_BYTES_MAX }),
};

/**
 * The plain bytes of an answer. Vendors are asked for `identity`, but one that compresses all the same must not hide a
 * cost, or an echoed secret. Undefined where it cannot be decoded.
 */
export function decodeAnswer(body: Uint8Array, encoding: string | undefined): Uint8Array | undefined {
  if (encoding === undefined || encoding === "identity" || body.length === 0) return body;
  const decode = DECODERS[encoding.trim().toLowerCase()];
  try {
    return decode?.(body);
  } catch {
    return undefined;
  }
}
