import { describe, expect, test } from "bun:test";
import { Secret } from "../../src/core/secret.ts";
import { AnswerBox } from "../../src/vault/answer-box.ts";
import { MasterKey } from "../../src/vault/master-key.ts";
import { seal } from "../../src/vault/seal.ts";

const KEY = new MasterKey(new Uint8Array(32).fill(7));
const OTHER_KEY = new MasterKey(new Uint8Array(32).fill(8));
const ANSWER = Buffer.from('{"id":"pi_1","receipt_email":"jane@example.com"}');

const open = (box: AnswerBox, sealed: Uint8Array, owner = "vk_1 h1") => {
  const answer = box.open(sealed, owner);
  return answer && Buffer.from(answer).toString("utf8");
};

describe("a sealed answer", () => {
  test.each(["", "a", "päss 🔑", "\0", "x".repeat(300_000)])("opens as it was: %p", (text) => {
    const box = new AnswerBox(KEY);
    expect(open(box, box.seal(Buffer.from(text), "vk_1 h1"))).toBe(text);
  });

  test("opens in another process with the same master key, and after a restart", () => {
    const sealed = new AnswerBox(KEY).seal(ANSWER, "vk_1 h1");
    expect(open(new AnswerBox(KEY), sealed)).toBe(ANSWER.toString());
  });

  test("opens from a slice of a larger buffer, as a database driver gives it", () => {
    const box = new AnswerBox(KEY);
    const sealed = box.seal(ANSWER, "vk_1 h1");
    const larger = Buffer.concat([Buffer.alloc(9), sealed, Buffer.alloc(9)]);
    expect(open(box, larger.subarray(9, 9 + sealed.length))).toBe(ANSWER.toString());
  });

  test("is undefined under another master key", () => {
    const sealed = new AnswerBox(KEY).seal(ANSWER, "vk_1 h1");
    expect(new AnswerBox(OTHER_KEY).open(sealed, "vk_1 h1")).toBeUndefined();
  });

  test.each(["vk_2 h1", "vk_1 h2", "vk_1  h1", "", "vk_1 h1\0"])("is undefined for another owner: %p", (owner) => {
    const box = new AnswerBox(KEY);
    expect(box.open(box.seal(ANSWER, "vk_1 h1"), owner)).toBeUndefined();
  });

  test("is undefined with any bit changed, cut at any place, or longer by a byte", () => {
    const box = new AnswerBox(KEY);
    const sealed = box.seal(ANSWER, "vk_1 h1");
    for (let index = 0; index < sealed.length; index++) {
      const changed = Uint8Array.from(sealed);
      changed[index]! ^= 1 << (index % 8);
      expect(box.open(changed, "vk_1 h1")).toBeUndefined();
      expect(box.open(sealed.subarray(0, index), "vk_1 h1")).toBeUndefined();
    }
    expect(box.open(Buffer.concat([sealed, Buffer.alloc(1)]), "vk_1 h1")).toBeUndefined();
    expect(box.open(new Uint8Array(0), "vk_1 h1")).toBeUndefined();
  });

  test("does not open as what the master key seals otherwise, and the other way round", () => {
    const secret = seal(KEY, new Secret("sk_test_real_secret"), { vendor: "stripe", secretId: "sec_1", version: 1 });
    expect(new AnswerBox(KEY).open(secret, "vk_1 h1")).toBeUndefined();
  });

  test("holds neither the answer nor the master key, and no two are alike", () => {
    const box = new AnswerBox(KEY);
    const [first, second] = [1, 2].map(() => Buffer.from(box.seal(ANSWER, "vk_1 h1")));
    expect(first!.includes("jane")).toBe(false);
    expect(first!.includes(new Uint8Array(8).fill(7))).toBe(false);
    expect(first!.equals(second!)).toBe(false);
  });

  test("of one process shares no data key with one of another", () => {
    const [first, second] = [1, 2].map(() => Buffer.from(new AnswerBox(KEY).seal(ANSWER, "vk_1 h1")));
    const pieces = Array.from({ length: Math.floor(first!.length / 4) }, (_, i) => first!.subarray(i * 4, i * 4 + 4));
    expect(pieces.filter((piece) => second!.includes(piece))).toEqual([]);
  });
});
