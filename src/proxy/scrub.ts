const REDACTED = "[redacted]";

/** Every spelling in which a vendor may echo what it was sent: as it is, percent-escaped, in base64 and in hex. */
export function spellings(canaries: readonly string[]): readonly string[] {
  const all = new Set<string>();
  for (const canary of canaries) {
    if (canary.length < 6) continue;
    const bytes = Buffer.from(canary);
    const base64 = bytes.toString("base64");
    const hex = bytes.toString("hex");
    for (const text of [canary, encodeURIComponent(canary), base64, base64.replace(/=+$/, "")]) all.add(text);
    for (const text of [bytes.toString("base64url"), hex, hex.toUpperCase()]) all.add(text);
    // Some JSON writers escape the slash.
    for (const text of [canary, base64]) all.add(text.replaceAll("/", "\\/"));
    all.add(encodeURIComponent(canary).replace(/%[0-9A-F]{2}/g, (escaped) => escaped.toLowerCase()));
    for (const text of base64Within(bytes)) all.add(text);
  }
  return [...all].sort((a, b) => b.length - a.length);
}

/** What every base64 text has in it in which the secret stands behind other bytes, by how they shift it. */
function base64Within(secret: Buffer): string[] {
  return [1, 2].map((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), secret]);
    const certain = Math.floor(whole.length / 3) * 4;
    return whole.toString("base64").slice(shift + 1, certain);
  });
}

export function scrubText(text: string, secrets: readonly string[]): string {
  // Spellings are sorted, the longest first: what is shorter than the last holds none of them.
  if (text.length < (secrets.at(-1)?.length ?? 0)) return text;
  let clean = text;
  for (const secret of secrets) if (clean.includes(secret)) clean = clean.replaceAll(secret, REDACTED);
  return clean;
}

/** The body without the secrets; the very same array where none is in it. */
export function scrubBytes(body: Uint8Array, secrets: readonly string[]): Uint8Array {
  const written = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1");
  const clean = scrubWritten(written, secrets);
  return clean === written ? body : Buffer.from(clean, "latin1");
}

/** Where a secret stands in it, in clear or in JSON's escapes, the text without both; else the same text. */
function scrubWritten(written: string, secrets: readonly string[]): string {
  const plain = written.includes("\\u00") ? unescaped(written) : written;
  const clean = scrubText(plain, secrets);
  return clean === plain ? written : clean;
}

/** JSON may write any character as `\u00XX`; quotation mark and backslash keep theirs, so that JSON stays JSON. */
function unescaped(text: string): string {
  return text.replace(/\\u00([2-7][0-9a-f])/gi, (written, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return character === '"' || character === "\\" ? written : character;
  });
}

const ESCAPE_CHARACTERS = "\\u0000".length;

/** The same for a body that passes through in pieces: what could be the beginning of a secret waits for the next piece. */
export function scrubStream(secrets: readonly string[]): TransformStream<Uint8Array, Uint8Array> {
  const keep = Math.max(0, ...secrets.map((secret) => secret.length)) * ESCAPE_CHARACTERS;
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const piece = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
      const text = scrubWritten(rest + piece, secrets);
      const cut = Math.max(0, text.length - keep);
      rest = text.slice(cut);
      if (cut > 0) controller.enqueue(Buffer.from(text.slice(0, cut), "latin1"));
    },
    flush(controller) {
      if (rest.length > 0) controller.enqueue(Buffer.from(rest, "latin1"));
    },
  });
}
