import { afterEach, beforeEach, expect, test } from "bun:test";
import { RememberedAnswers } from "../../src/operate/remembered-answers.ts";
import { type Installed, install, problemOf, START_MS } from "./installed.ts";

let installed: Installed;
let answers: RememberedAnswers;

beforeEach(async () => {
  installed = await install();
  answers = new RememberedAnswers(installed.store, installed.masterKey);
});
afterEach(() => installed.close());

const ASKED = { scope: "tok_1", key: "k-1", body: { a: 1, b: { c: 2 } } };

test("gives the first answer for a day, whatever the order of the body's names", async () => {
  expect(await answers.recall(ASKED, START_MS)).toBeUndefined();
  expect(await answers.remember(ASKED, { vault_key: "first" }, START_MS)).toBeUndefined();
  const again = { ...ASKED, body: { b: { c: 2 }, a: 1 } };
  expect(await answers.recall<object>(again, START_MS + 86_399_999)).toEqual({ vault_key: "first" });
  expect(await answers.recall(again, START_MS + 86_400_000)).toBeUndefined();
});

test("says which answer was first where two came at once", async () => {
  await answers.remember(ASKED, { vault_key: "first" }, START_MS);
  expect(await answers.remember<object>(ASKED, { vault_key: "second" }, START_MS)).toEqual({ vault_key: "first" });
});

test("refuses another body under the same key", async () => {
  await answers.remember(ASKED, {}, START_MS);
  const other = { ...ASKED, body: { a: 2 } };
  expect((await problemOf(() => answers.recall(other, START_MS))).code).toBe("conflict");
  expect((await problemOf(() => answers.remember(other, {}, START_MS))).code).toBe("conflict");
});

test("keeps callers apart, and nothing in clear", async () => {
  await answers.remember(ASKED, { vault_key: "vault_key_in_clear" }, START_MS);
  expect(await answers.recall({ ...ASKED, scope: "tok_2" }, START_MS)).toBeUndefined();
  const stored = (await installed.store.recallAnswer("tok_1", "k-1", START_MS))!;
  expect(Buffer.from(stored.sealedAnswer).includes("in_clear")).toBe(false);
});
