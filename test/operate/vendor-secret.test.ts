import { expect, test } from "bun:test";
import { Problem } from "../../src/core/problem.ts";
import { Secret } from "../../src/core/secret.ts";
import { checkVendorSecret } from "../../src/operate/vendor-secret.ts";
import { mintControlToken } from "../../src/vault/control-token.ts";
import { alphanumericForm, mintVaultKey } from "../../src/vault/vault-key.ts";

test.each(["sk_test_real_secret", "sk_test_real_secret\n", "sk_test_real_secret\r\n"])("takes %j", (text) => {
  expect(checkVendorSecret(new Secret(text), "stripe").reveal()).toBe("sk_test_real_secret");
});

const vaultKey = mintVaultKey().token.reveal();

const REFUSED = [
  ["nothing", ""],
  ["a line feed alone", "\n"],
  ["white space", "   "],
  ["two lines", "sk_test_real\nsk_test_other"],
  ["two line feeds at the end", "sk_test_real_secret\n\n"],
  ["a space before it", " sk_test_real_secret"],
  ["a space within", "sk_test real_secret"],
  ["a NUL", "sk_test_real_secret\0"],
  ["a header's worth of injection", "sk_test_real\r\nX-Evil: 1"],
  ["a character beyond ASCII", "sk_test_reäl_secret"],
  ["4097 characters", "x".repeat(4097)],
  ["a vault key", vaultKey],
  ["a vault key without underscores", alphanumericForm(vaultKey)],
  ["the beginning of a vault key", "vault_key_abc"],
  ["an admin's token", mintControlToken("admin").token.reveal()],
  ["an issuer's token", mintControlToken("issuer").token.reveal()],
] as const;

test.each(REFUSED)("refuses %s, without repeating it", (_what, text) => {
  let thrown: unknown;
  try {
    checkVendorSecret(new Secret(text), "stripe");
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(Problem);
  const { code, message, hint } = thrown as Problem;
  expect(code).toBe("invalid");
  const said = `${message} ${hint}`;
  for (const part of text.split(/\s/).filter((word) => word.length > 5)) expect(said).not.toContain(part);
});
