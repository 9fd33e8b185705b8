import { expect, test } from "bun:test";
import type { Fields } from "../../../src/core/call.ts";
import { NO_FIELDS } from "../../../src/core/call.ts";
import { parseMinorAmount } from "../../../src/proxy/parse/amount.ts";
import { parseBodyKind } from "../../../src/proxy/parse/content-type.ts";
import { formOptions, parseForm } from "../../../src/proxy/parse/form.ts";
import { parseHeaders } from "../../../src/proxy/parse/headers.ts";
import { parseStrictJson } from "../../../src/proxy/parse/json.ts";
import { parseQuery, rejectSharedFields } from "../../../src/proxy/parse/query.ts";
import { type Parsed, parsed } from "../../../src/proxy/parse/rejection.ts";
import { parseTarget } from "../../../src/proxy/parse/target.ts";
import { FIRST_CORPUS } from "./corpus.ts";
import { accepted, refusal, utf8 } from "./verdicts.ts";

const FORM = formOptions(new Set());

/** The parsers in the order of the data plane, over a request that the HTTP server has taken apart. */
function parseRequest(bytes: string): Parsed<{ path: string; fields: Fields }> {
  const [head, ...rest] = bytes.split("\r\n\r\n");
  const [requestLine, ...lines] = head!.split("\r\n");
  const body = utf8(rest.join("\r\n\r\n"));
  const rawHeaders = lines.flatMap((line) => [
    line.slice(0, line.indexOf(":")),
    line.slice(line.indexOf(":") + 1).trim(),
  ]);
  const target = parseTarget(requestLine!.split(" ")[1]!, new Set(["stripe"]));
  if (!target.ok) return target;
  const headers = parseHeaders(rawHeaders, { bodyBytesMax: 1_048_576 });
  if (!headers.ok) return headers;
  const kind = parseBodyKind(headers.value.headers.get("content-type"), body.length);
  if (!kind.ok) return kind;
  const query = parseQuery(target.value.query, FORM);
  if (!query.ok) return query;
  const fields = parseFields(kind.value, body);
  if (!fields.ok) return fields;
  const shared = rejectSharedFields(query.value, fields.value);
  return shared.ok ? parsed({ path: target.value.path, fields: fields.value }) : shared;
}

function parseFields(kind: string, body: Uint8Array): Parsed<Fields> {
  if (kind === "form") return parseForm(body, FORM);
  if (kind !== "json") return parsed(NO_FIELDS);
  const json = parseStrictJson(body);
  return json.ok ? parsed(json.value.fields) : json;
}

function rows(stage: string) {
  return FIRST_CORPUS.filter((row) => row.stage === stage).map((row) => [row.name, row] as const);
}

test.each(rows("parse"))("the parsers refuse %s", (_, row) => {
  refusal(parseRequest(row.bytes("127.0.0.1:7878", "k")), row.expect.code as "request_rejected");
  expect(row.expect.status).toBe(
    { request_rejected: 400, body_too_large: 413, encoding_unsupported: 415 }[row.expect.code!]!,
  );
});

test.each(rows("judge"))("the parsers leave %s to be judged, and no amount or currency is guessed", (_, row) => {
  const { fields } = accepted(parseRequest(row.bytes("127.0.0.1:7878", "k")));
  const bad = parseMinorAmount(fields.get("amount")!) === undefined || fields.get("currency") !== "usd";
  expect(bad).toBe(true);
});

test.each(rows("forwarded").filter(([name]) => name !== "pipelined POSTs"))(
  "the parsers take %s as what is forwarded",
  (_, row) => {
    expect(row.forwards).toEqual([`POST ${accepted(parseRequest(row.bytes("127.0.0.1:7878", "k"))).path}`]);
  },
);

test("the corpus has every client's row once", () => {
  const names = FIRST_CORPUS.map((row) => row.name);
  expect(new Set(names).size).toBe(names.length);
  // Three rows are second spellings of one on the security page.
  expect(names.filter((name) => !/\((escaped|full-width, escaped|equal)\)$/.test(name)).length).toBe(44);
  for (const row of FIRST_CORPUS)
    expect(row.bytes("host.example", "the_key")).toContain("Authorization: Bearer the_key\r\n");
});
