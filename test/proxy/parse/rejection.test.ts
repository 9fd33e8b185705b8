import { expect, test } from "bun:test";
import { parsed, quoted, rejected } from "../../../src/proxy/parse/rejection.ts";

test("a refusal is request_rejected unless it says otherwise", () => {
  expect(rejected("No.")).toEqual({ ok: false, rejection: { code: "request_rejected", message: "No." } });
  expect(rejected("No.", "body_too_large")).toMatchObject({ rejection: { code: "body_too_large" } });
  expect(parsed(1)).toEqual({ ok: true, value: 1 });
});

test("never repeats more than 80 characters of the client's text", () => {
  expect(quoted("a".repeat(80))).toBe(`"${"a".repeat(80)}"`);
  expect(quoted("a".repeat(81))).toBe(`"${"a".repeat(77)}..."`);
  expect(quoted("a".repeat(1_000_000))).toHaveLength(82);
});

test("never repeats a terminal escape, a line break or a non-ASCII character", () => {
  expect(quoted("a\x1b[31m\r\n\x00\x7fé\u{1F600}\ud800")).toBe('"a?[31m??????????"'.replace("??????????", "????????"));
});
