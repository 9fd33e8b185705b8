import { expect, test } from "bun:test";
import { parseBodyKind, parseContentType } from "../../../src/proxy/parse/content-type.ts";
import { accepted, refusal } from "./verdicts.ts";

test.each([
  [undefined, "none"],
  ["application/x-www-form-urlencoded", "form"],
  ["application/x-www-form-urlencoded; charset=utf-8", "form"],
  ["application/json", "json"],
  ["application/json;charset=UTF-8", "json"],
  ["application/json; charset=utf-8", "json"],
  ["multipart/form-data; boundary=----formdata-undici-012345678901", "multipart"],
  ["multipart/form-data; boundary=9051914041544843365972754266", "multipart"],
  ["application/octet-stream", "opaque"],
  ["application/pdf", "opaque"],
  ["image/png", "opaque"],
  ["text/csv", "opaque"],
] as const)("reads %j as %s", (value, kind) => {
  expect(accepted(parseContentType(value))).toBe(kind);
});

test.each([
  "",
  "text/plain",
  "text/json",
  "text/html",
  "Application/JSON",
  "application/json, text/plain",
  "application/json; charset=latin1",
  "application/json; charset=utf-8; charset=utf-16",
  "application/json; charset=utf-16",
  "application/json;",
  "application/json; x=1",
  "application/vnd.api+json",
  "application/x-ndjson",
  "application/xml",
  "application/graphql",
  "application/x-www-form-urlencoded; charset=iso-8859-1",
  "application/x-www-form-urlencoded-x",
  "multipart/form-data",
  "multipart/form-data; boundary=",
  'multipart/form-data; boundary="a b"',
  "multipart/form-data; boundary=a; boundary=b",
  `multipart/form-data; boundary=${"a".repeat(71)}`,
  "multipart/mixed; boundary=a",
  "image/png; charset=utf-8",
  "json",
])("answers 415 to the content type %j", (value) => {
  refusal(parseContentType(value), "encoding_unsupported");
});

test("an empty body has no kind, whatever the header says", () => {
  expect(accepted(parseBodyKind("application/x-www-form-urlencoded", 0))).toBe("none");
  expect(accepted(parseBodyKind("text/plain", 0))).toBe("none");
  expect(accepted(parseBodyKind(undefined, 0))).toBe("none");
});

test("a body needs a content type", () => {
  expect(accepted(parseBodyKind("application/json", 2))).toBe("json");
  refusal(parseBodyKind("text/plain", 2), "encoding_unsupported");
  expect(refusal(parseBodyKind(undefined, 2), "encoding_unsupported")).toContain("no Content-Type");
});
