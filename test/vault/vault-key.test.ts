import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { crc32Base62 } from "../../src/vault/crc32.ts";
import { alphanumericForm, mintVaultKey, parseVaultKey } from "../../src/vault/vault-key.ts";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const SPELLINGS = [
  ["canonical", (token: string) => token],
  ["alphanumeric", alphanumericForm],
] as const;

describe("a vault key", () => {
  test("is vault_key_, 43 random characters and a checksum over both", () => {
    const token = mintVaultKey().token.reveal();
    expect(token).toMatch(/^vault_key_[0-9A-Za-z]{49}$/);
    expect(token.slice(-6)).toBe(crc32Base62(token.slice(0, -6)));
  });

  test("is another one each time", () => {
    const tokens = Array.from({ length: 200 }, () => mintVaultKey().token.reveal());
    expect(new Set(tokens).size).toBe(200);
    // Every random position varies: no part of it is constant.
    for (let i = 10; i < 59; i++) expect(new Set(tokens.map((token) => token[i])).size).toBeGreaterThan(1);
  });

  test("is stored as the SHA-256 of its canonical spelling", () => {
    const { token, hash } = mintVaultKey();
    const expected = createHash("sha256").update(token.reveal()).digest("hex");
    expect(hash).toHaveLength(32);
    expect(Buffer.from(hash).toString("hex")).toBe(expected);
  });

  test.each(SPELLINGS)("in its %s form has the hash that was stored", (_, spell) => {
    const { token, hash } = mintVaultKey();
    const parsed = parseVaultKey(spell(token.reveal()));
    expect(parsed.ok && Buffer.from(parsed.hash).equals(hash)).toBe(true);
  });

  test("has a hint that shows its last four characters and no others", () => {
    const { token, hint } = mintVaultKey();
    expect(hint).toBe(`vault_key_…${token.reveal().slice(-4)}`);
  });

  test("is not shown by what was minted", () => {
    const minted = mintVaultKey();
    const random = minted.token.reveal().slice(10, 53);
    const shown = [JSON.stringify(minted), inspect(minted, { depth: 9, showHidden: true }), Bun.inspect(minted)];
    for (const text of [...shown, `${minted.token}`, String(minted.token)]) expect(text).not.toContain(random);
  });
});

describe("a mistyped vault key", () => {
  test.each(SPELLINGS)("is found offline whichever one character of the %s form is another", (_, spell) => {
    const token = spell(mintVaultKey().token.reveal());
    for (let i = 0; i < token.length; i++) {
      for (const character of `${ALPHABET}_- é`) {
        if (character === token[i]) continue;
        const typo = token.slice(0, i) + character + token.slice(i + 1);
        if (parseVaultKey(typo).ok) throw new Error(`a typo at character ${i} was let through`);
      }
    }
  });

  test.each(SPELLINGS)(
    "is found offline where a character of the %s form is missing, doubled or swapped",
    (_, spell) => {
      const token = spell(mintVaultKey().token.reveal());
      for (let i = 0; i < token.length; i++) {
        const swapped = token.slice(0, i) + (token[i + 1] ?? "") + token[i] + token.slice(i + 2);
        const typos = [token.slice(0, i) + token.slice(i + 1), token.slice(0, i) + token[i] + token.slice(i)];
        if (swapped !== token) typos.push(swapped);
        for (const typo of typos) expect(parseVaultKey(typo).ok).toBe(false);
      }
    },
  );

  test("is told from what is no vault key at all", () => {
    const token = mintVaultKey().token.reveal();
    const typo = (token[20] === "a" ? "b" : "a") + token.slice(21);
    expect(parseVaultKey(token.slice(0, 20) + typo)).toEqual({ ok: false, why: "bad_checksum" });
    for (const text of [
      "",
      "sk_test_real_secret",
      `x${token.slice(1)}`,
      token.replace("_", ""),
      token.replace("vault_key_", "vault_key"),
      token.toUpperCase(),
      `${token}\n`,
      ` ${token}`,
      `${token.slice(0, -1)}\n`,
      `vault_key_${"０".repeat(49)}`,
      `vault_key_${"a".repeat(1_000_000)}`,
    ]) {
      expect(parseVaultKey(text)).toEqual({ ok: false, why: "not_a_vault_key" });
    }
  });
});

describe("the alphanumeric form", () => {
  test("has letters and digits only, as twilio-go wants it", () => {
    const token = mintVaultKey().token.reveal();
    expect(alphanumericForm(token)).toBe(`vaultkey${token.slice(10)}`);
    expect(alphanumericForm(alphanumericForm(token))).toBe(`vaultkey${token.slice(10)}`);
  });

  test("is refused for anything else, without repeating it", () => {
    expect(() => alphanumericForm("sk_test_real_secret")).toThrow(/^only a vault key has an alphanumeric form$/);
  });
});
