import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { CONTROL_ROLES, mintControlToken, parseControlToken } from "../../src/vault/control-token.ts";
import { mintVaultKey, parseVaultKey } from "../../src/vault/vault-key.ts";

describe.each([...CONTROL_ROLES])("a control token for the role %s", (role) => {
  test("is its prefix, 43 random characters and a checksum", () => {
    expect(mintControlToken(role).token.reveal()).toMatch(new RegExp(`^kb_${role}_[0-9A-Za-z]{49}$`));
  });

  test("parses to its role and the SHA-256 that was stored", () => {
    const { token, hash, hint } = mintControlToken(role);
    const parsed = parseControlToken(token.reveal());
    expect(parsed).toMatchObject({ ok: true, role });
    expect(parsed.ok && Buffer.from(parsed.hash).equals(hash)).toBe(true);
    expect(Buffer.from(hash).equals(createHash("sha256").update(token.reveal()).digest())).toBe(true);
    expect(hint).toBe(`kb_${role}_…${token.reveal().slice(-4)}`);
  });

  test("is found mistyped offline whichever one character is another", () => {
    const token = mintControlToken(role).token.reveal();
    for (let i = 0; i < token.length; i++) {
      for (const character of "0aZ_") {
        if (character === token[i]) continue;
        expect(parseControlToken(token.slice(0, i) + character + token.slice(i + 1)).ok).toBe(false);
      }
    }
  });

  test("cannot be turned into another role's", () => {
    const token = mintControlToken(role).token.reveal();
    for (const other of CONTROL_ROLES.filter((name) => name !== role)) {
      const forged = token.replace(`kb_${role}_`, `kb_${other}_`);
      expect(parseControlToken(forged)).toEqual({ ok: false, why: "bad_checksum" });
    }
  });
});

describe("tokens of two kinds", () => {
  test("never pass for one another", () => {
    expect(parseControlToken(mintVaultKey().token.reveal())).toEqual({ ok: false, why: "not_a_control_token" });
    expect(parseVaultKey(mintControlToken("admin").token.reveal())).toEqual({ ok: false, why: "not_a_vault_key" });
  });

  test("and a control token has no form without underscores", () => {
    const token = mintControlToken("admin").token.reveal().replaceAll("_", "");
    expect(parseControlToken(token)).toEqual({ ok: false, why: "not_a_control_token" });
  });
});
