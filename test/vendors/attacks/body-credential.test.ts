import { describe, expect, test } from "bun:test";
import type { Call } from "../../../src/core/call.ts";
import { bodyTokenProblem, withSecret } from "../../../src/proxy/body-credential.ts";
import { parseStrictJson } from "../../../src/proxy/parse/json.ts";
import { mintVaultKey } from "../../../src/vault/vault-key.ts";
import { segment } from "./shipped.ts";

const minted = mintVaultKey();
const token = minted.token.reveal();
const { hash } = minted;
const ESCAPED = `\\u0076${token.slice(1)}`;

function post(body: string): Call {
  const bytes = new TextEncoder().encode(body);
  const json = parseStrictJson(bytes);
  if (!json.ok) throw new Error(json.rejection.message);
  return {
    method: "POST",
    path: "/v1/track",
    query: "",
    queryFields: new Map(),
    body: bytes,
    bodyKind: "json",
    bodyFields: json.value.fields,
    json: json.value.value,
    headers: new Map(),
  };
}

describe("a secret that an agent wants to read in an event", () => {
  test("goes to the field of the credential, in whatever spelling its name is", () => {
    for (const name of ["writeKey", "write\\u004bey"]) {
      const call = post(`{"${name}":"${token}","event":"x"}`);
      expect(bodyTokenProblem(segment, call, hash)).toBeUndefined();
      const sent = new TextDecoder().decode(withSecret(call, token, "wk_real_secret"));
      expect(JSON.parse(sent)).toEqual({ writeKey: "wk_real_secret", event: "x" });
    }
  });

  // A key over an empty object or list is the name of no leaf, so that only the bytes show it.
  test.each([
    ["the name of an empty object", `{"writeKey":"${ESCAPED}","properties":{"${token}":{}}}`],
    ["the name of an empty list", `{"properties":{"${token}":[]},"writeKey":"${ESCAPED}"}`],
    ["a part of such a name", `{"writeKey":"${ESCAPED}","traits":{"x${token}":{}}}`],
    ["a text", `{"writeKey":"${ESCAPED}","event":"${token}"}`],
    ["nothing but escapes", `{"writeKey":"${ESCAPED}"}`],
  ])("is not written into %s while the credential is spelt with escapes", (_where, body) => {
    expect(bodyTokenProblem(segment, post(body), hash)).toContain("nowhere else");
  });
});
