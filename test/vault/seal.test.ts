import { describe, expect, spyOn, test } from "bun:test";
import { createCipheriv, createDecipheriv } from "node:crypto";
import { inspect } from "node:util";
import { Secret } from "../../src/core/secret.ts";
import { decrypt, encrypt } from "../../src/vault/aes-gcm.ts";
import { MasterKey } from "../../src/vault/master-key.ts";
import { rewrap, type SecretBinding, seal, sealedUnder, unseal } from "../../src/vault/seal.ts";
import { problemOf } from "./problem-of.ts";

const TEXT = "sk_test_real_secret";
const BINDING: SecretBinding = { vendor: "stripe", secretId: "sec_1", version: 3 };
const KEY = new MasterKey(new Uint8Array(32).fill(7));
const OTHER_KEY = new MasterKey(new Uint8Array(32).fill(8));

describe("a sealed secret", () => {
  test.each([TEXT, "", "a", "päss wörd 🔑", "\ufeffbyte order mark", "\0", "x".repeat(100_000)])(
    "opens with the same key and binding: %p",
    (text) => {
      expect(unseal(KEY, seal(KEY, new Secret(text), BINDING), BINDING).reveal()).toBe(text);
    },
  );

  test("opens from a slice of a larger buffer, as a database driver gives it", () => {
    const sealed = seal(KEY, new Secret(TEXT), BINDING);
    const larger = Buffer.concat([Buffer.alloc(9), sealed, Buffer.alloc(9)]);
    expect(unseal(KEY, larger.subarray(9, 9 + sealed.length), BINDING).reveal()).toBe(TEXT);
  });

  test("holds neither the secret nor the master key", () => {
    const sealed = Buffer.from(seal(KEY, new Secret(TEXT), BINDING));
    expect(sealed.includes(TEXT)).toBe(false);
    expect(sealed.includes(new Uint8Array(8).fill(7))).toBe(false);
  });

  test("shares no key, nonce or ciphertext with another of the same secret", () => {
    const [first, second] = [1, 2].map(() => Buffer.from(seal(KEY, new Secret(TEXT), BINDING)).subarray(5));
    const pieces = Array.from({ length: Math.floor(first!.length / 4) }, (_, i) => first!.subarray(i * 4, i * 4 + 4));
    expect(pieces.filter((piece) => second!.includes(piece))).toEqual([]);
  });

  test("does not open with any one bit flipped, and names no byte of it", () => {
    const sealed = seal(KEY, new Secret(TEXT), BINDING);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = Uint8Array.from(sealed);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const problem = problemOf(() => unseal(KEY, flipped, BINDING));
      expect(problem.code).toBe("unavailable");
      expect(problem.hint).toContain("keybrake vendor set stripe");
      expect(inspect(problem)).not.toContain(TEXT);
    }
  });

  test("does not open when cut short or made longer, whatever the length", () => {
    const sealed = seal(KEY, new Secret(TEXT), BINDING);
    for (let length = 0; length < sealed.length; length++) {
      expect(problemOf(() => unseal(KEY, sealed.subarray(0, length), BINDING)).code).toBe("unavailable");
    }
    expect(problemOf(() => unseal(KEY, Buffer.concat([sealed, Buffer.alloc(1)]), BINDING)).code).toBe("unavailable");
  });

  test.each<[string, SecretBinding]>([
    ["vendor", { ...BINDING, vendor: "twilio" }],
    ["id", { ...BINDING, secretId: "sec_2" }],
    ["version", { ...BINDING, version: 2 }],
    ["split between vendor and id", { ...BINDING, vendor: "stripes", secretId: "ec_1" }],
    ["split between id and version", { ...BINDING, secretId: "sec_13", version: 3 }],
  ])("does not open for another %s", (_, binding) => {
    const sealed = seal(KEY, new Secret(TEXT), BINDING);
    const problem = problemOf(() => unseal(KEY, sealed, binding));
    expect(problem.code).toBe("unavailable");
    expect(problem.message).toBe(
      `the secret ${binding.secretId} (version ${binding.version}) of vendor ${binding.vendor} cannot be opened: ` +
        "it is damaged, or was sealed for another vendor, id or version",
    );
  });

  test("tells under which master key it was sealed when opened with another", () => {
    const sealed = seal(KEY, new Secret(TEXT), BINDING);
    const problem = problemOf(() => unseal(OTHER_KEY, sealed, BINDING));
    expect(problem.code).toBe("unavailable");
    expect(problem.message).toContain(`was sealed under master key ${KEY.id}, this is master key ${OTHER_KEY.id}`);
    expect(sealedUnder(sealed)).toBe(KEY.id);
  });

  test("does not open with another master key that claims the same id", () => {
    const sealed = Buffer.from(seal(KEY, new Secret(TEXT), BINDING));
    sealed.write(OTHER_KEY.id, 1, "hex");
    expect(problemOf(() => unseal(OTHER_KEY, sealed, BINDING)).message).toContain("cannot be opened");
  });

  test("cannot be put together from two others", () => {
    const [first, second] = [1, 2].map(() => Buffer.from(seal(KEY, new Secret(TEXT), BINDING)));
    const mixed = Buffer.concat([first!.subarray(0, 65), second!.subarray(65)]);
    expect(problemOf(() => unseal(KEY, mixed, BINDING)).code).toBe("unavailable");
  });

  test("leaves no data key in memory, whether it opens or not", () => {
    const wrap = spyOn(MasterKey.prototype, "wrap");
    const unwrap = spyOn(MasterKey.prototype, "unwrap");
    try {
      const sealed = seal(KEY, new Secret(TEXT), BINDING);
      rewrap(KEY, OTHER_KEY, sealed, BINDING);
      unseal(KEY, sealed, BINDING);
      sealed[sealed.length - 1]! ^= 1;
      problemOf(() => unseal(KEY, sealed, BINDING));
      const dataKeys = [
        ...wrap.mock.calls.map(([dataKey]) => dataKey),
        ...unwrap.mock.results.map(({ value }) => value as Uint8Array),
      ];
      expect(dataKeys).toHaveLength(5);
      for (const dataKey of dataKeys) expect(Uint8Array.from(dataKey)).toEqual(new Uint8Array(32));
    } finally {
      wrap.mockRestore();
      unwrap.mockRestore();
    }
  });

  test("is not made of text or bindings that UTF-8 cannot tell apart", () => {
    expect(problemOf(() => seal(KEY, new Secret("\ud800"), BINDING)).code).toBe("invalid");
    expect(problemOf(() => seal(KEY, new Secret(TEXT), { ...BINDING, vendor: "\ud800" })).code).toBe("invalid");
    expect(() => seal(KEY, new Secret(TEXT), { ...BINDING, version: 1.5 })).toThrow(RangeError);
  });
});

describe("a re-wrapped secret", () => {
  const sealed = seal(KEY, new Secret(TEXT), BINDING);
  const rewrapped = rewrap(KEY, OTHER_KEY, sealed, BINDING);

  test("opens with the new master key and no more with the old one", () => {
    expect(unseal(OTHER_KEY, rewrapped, BINDING).reveal()).toBe(TEXT);
    expect(problemOf(() => unseal(KEY, rewrapped, BINDING)).message).toContain(OTHER_KEY.id);
  });

  test("keeps its ciphertext and stays bound to vendor, id and version", () => {
    expect(Buffer.from(rewrapped.subarray(65)).equals(sealed.subarray(65))).toBe(true);
    expect(problemOf(() => unseal(OTHER_KEY, rewrapped, { ...BINDING, version: 4 })).code).toBe("unavailable");
  });

  test("is refused with the wrong old key or binding", () => {
    expect(problemOf(() => rewrap(OTHER_KEY, KEY, sealed, BINDING)).message).toContain(KEY.id);
    expect(problemOf(() => rewrap(KEY, OTHER_KEY, sealed, { ...BINDING, vendor: "resend" })).code).toBe("unavailable");
  });
});

describe("the AES-256-GCM box", () => {
  const key = new Uint8Array(32).fill(1);
  const plaintext = Buffer.from("data");
  const aad = Buffer.from("aad");

  test("is nonce, tag and ciphertext as any other implementation reads them", () => {
    const box = encrypt(key, plaintext, aad);
    const decipher = createDecipheriv("aes-256-gcm", key, box.subarray(0, 12)).setAAD(aad);
    decipher.setAuthTag(box.subarray(12, 28));
    expect(Buffer.concat([decipher.update(box.subarray(28)), decipher.final()])).toEqual(plaintext);
  });

  test("opens what any other implementation wrote", () => {
    const cipher = createCipheriv("aes-256-gcm", key, new Uint8Array(12)).setAAD(aad);
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    const box = Buffer.concat([new Uint8Array(12), cipher.getAuthTag(), ciphertext]);
    expect(Buffer.from(decrypt(key, box, aad)!)).toEqual(plaintext);
  });
});
