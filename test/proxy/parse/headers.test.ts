import { describe, expect, test } from "bun:test";
import { parseHeaders } from "../../../src/proxy/parse/headers.ts";
import { accepted, refusal } from "./verdicts.ts";

const HOST = ["Host", "127.0.0.1:7878"];

/** Headers as recorded from the clients themselves; the SDKs of this repository are run in sdk-headers.test.ts. */
const CLIENTS: [string, string[]][] = [
  [
    "curl",
    [
      ...HOST,
      "User-Agent",
      "curl/7.88.1",
      "Accept",
      "*/*",
      "Content-Length",
      "10",
      "Content-Type",
      "application/x-www-form-urlencoded",
    ],
  ],
  [
    "stripe-python and twilio-python (requests)",
    [
      ...HOST,
      "User-Agent",
      "Stripe/v1 PythonBindings/15.3.1",
      "Accept-Encoding",
      "gzip, deflate",
      "Accept",
      "*/*",
      "Connection",
      "keep-alive",
      "X-Stripe-Client-User-Agent",
      '{"bindings_version": "15.3.1", "lang": "python"}',
      "Authorization",
      "Bearer k",
      "Idempotency-Key",
      "a",
      "Stripe-Version",
      "2026-10-28.endive",
      "Content-Type",
      "application/x-www-form-urlencoded",
      "Content-Length",
      "10",
    ],
  ],
  [
    "stripe-node on Node, a GET",
    [
      "Accept",
      "application/json",
      "Content-Type",
      "application/x-www-form-urlencoded",
      "User-Agent",
      "Stripe/v1 NodeBindings/23.1.0",
      "X-Stripe-Client-User-Agent",
      '{"lang":"node","platform":"linux%206.18"}',
      "Stripe-Version",
      "2026-10-28.endive",
      "Content-Length",
      "0",
      "Authorization",
      "Bearer k",
      ...HOST,
      "Connection",
      "keep-alive",
    ],
  ],
  [
    "resend-node on Node (undici)",
    [
      "host",
      "127.0.0.1:7878",
      "connection",
      "keep-alive",
      "Authorization",
      "Bearer k",
      "Content-Type",
      "application/json",
      "accept",
      "*/*",
      "accept-language",
      "*",
      "sec-fetch-mode",
      "cors",
      "accept-encoding",
      "gzip, deflate",
      "content-length",
      "65",
    ],
  ],
  [
    "Ruby's Net::HTTP",
    [
      "Accept-Encoding",
      "gzip;q=1.0,deflate;q=0.6,identity;q=0.3",
      "Connection",
      "keep-alive, TE",
      "TE",
      "trailers",
      ...HOST,
    ],
  ],
];

test.each(CLIENTS)("takes what %s sends", (_, raw) => {
  const { headers, host } = accepted(parseHeaders(raw));
  expect(host).toBe("127.0.0.1:7878");
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]!.toLowerCase();
    if (["host", "connection", "te", "content-length"].includes(name)) expect(headers.has(name)).toBe(false);
    else expect(headers.get(name)).toBe(raw[index + 1]!);
  }
});

test("drops cookies, hop-by-hop and forwarding headers, also repeated ones", () => {
  const dropped = [
    "Cookie",
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "Via",
    "Keep-Alive",
    "Proxy-Connection",
    "Proxy-Authorization",
  ];
  const raw = dropped.flatMap((name) => [name, "1", name, "2"]);
  expect([...accepted(parseHeaders([...HOST, "Accept", "a", ...raw])).headers]).toEqual([["accept", "a"]]);
});

test("joins the lists that nobody interprets", () => {
  expect(accepted(parseHeaders([...HOST, "Accept", "a", "accept", "b"])).headers.get("accept")).toBe("a, b");
});

describe("framing", () => {
  test("gives the length, and says when there is none", () => {
    expect(accepted(parseHeaders([...HOST, "Content-Length", "42"]))).toMatchObject({
      contentLength: 42,
      chunked: false,
    });
    expect(accepted(parseHeaders(HOST))).toMatchObject({ contentLength: undefined, chunked: false });
  });

  test("says when the body comes in chunks, and takes no other coding and none beside a length", () => {
    const raw = [...HOST, "Transfer-Encoding", "chunked"];
    expect(accepted(parseHeaders(raw))).toMatchObject({ contentLength: undefined, chunked: true });
    expect(refusal(parseHeaders([...HOST, "Transfer-Encoding", "gzip, chunked"]))).toContain("Content-Length");
    refusal(parseHeaders([...raw, "Content-Length", "3"]));
    refusal(parseHeaders([...raw, "Transfer-Encoding", "chunked"]));
  });

  test("answers 413 to a length over the limit", () => {
    const raw = [...HOST, "Content-Length", "1001"];
    expect(refusal(parseHeaders(raw, { bodyBytesMax: 1000 }), "body_too_large")).toContain("1001");
    accepted(parseHeaders(raw, { bodyBytesMax: 1001 }));
  });
});

describe("refused headers", () => {
  test.each<[string, string[]]>([
    ["two Authorization", ["Authorization", "a", "Authorization", "b"]],
    ["two equal Authorization in other letters", ["Authorization", "a", "AUTHORIZATION", "a"]],
    ["two Content-Type", ["Content-Type", "application/json", "Content-Type", "application/json"]],
    ["two Content-Length", ["Content-Length", "1", "Content-Length", "1"]],
    ["two Idempotency-Key", ["Idempotency-Key", "a", "Idempotency-Key", "b"]],
    ["two Stripe-Account", ["Stripe-Account", "a", "Stripe-Account", "b"]],
    ["two of a header nobody knows", ["X-A", "1", "x-a", "2"]],
    ["Content-Length and Transfer-Encoding", ["Content-Length", "3", "Transfer-Encoding", "chunked"]],
    ["Connection naming a judged header", ["Connection", "authorization"]],
    ["Connection naming one beside keep-alive", ["Connection", "keep-alive, Stripe-Account"]],
    ["Connection: upgrade", ["Connection", "Upgrade"]],
    ["an empty Connection", ["Connection", ""]],
    ["Connection twice", ["Connection", "close", "Connection", "keep-alive"]],
    ["Expect", ["Expect", "100-continue"]],
    ["Upgrade", ["Upgrade", "h2c"]],
    ["Range", ["Range", "bytes=0-1"]],
    ["Trailer", ["Trailer", "X-A"]],
    ["TE: gzip", ["TE", "gzip"]],
    ["X-HTTP-Method-Override", ["X-HTTP-Method-Override", "GET"]],
    ["X-HTTP-Method", ["x-http-method", "GET"]],
    ["X-Method-Override", ["X-Method-Override", "GET"]],
    ["X-Original-URL", ["X-Original-URL", "/v1/payouts"]],
    ["X-Rewrite-URL", ["X-Rewrite-URL", "/v1/payouts"]],
    ["an underscore in a name", ["Stripe_Account", "acct_1"]],
    ["a space in a name", ["X A", "1"]],
    ["a colon in a name", ["X:A", "1"]],
    ["an empty name", ["", "1"]],
    ["a non-ASCII name", ["X-é", "1"]],
    ["a line feed in a value", ["X-A", "a\nX-B: b"]],
    ["a carriage return in a value", ["X-A", "a\rb"]],
    ["NUL in a value", ["X-A", "a\x00b"]],
    ["DEL in a value", ["X-A", "a\x7f"]],
    ["a non-ASCII value", ["Authorization", "Bearer é"]],
    ["a second Host", ["Host", "b"]],
  ])("refuses %s", (_, extra) => {
    refusal(parseHeaders([...HOST, ...extra]));
  });

  test.each(["", "+1", "-1", "01", "1.0", "1e3", "0x1", "1, 1", "1 1", "99999999999999999999", "abc"])(
    "refuses Content-Length: %j",
    (value) => {
      refusal(parseHeaders([...HOST, "Content-Length", value]));
    },
  );

  test.each(["gzip", "br", "deflate", "identity, gzip", "x", ""])("answers 415 to Content-Encoding: %j", (value) => {
    refusal(parseHeaders([...HOST, "Content-Encoding", value]), "encoding_unsupported");
  });

  test("takes Content-Encoding: identity and does not pass it on", () => {
    expect(accepted(parseHeaders([...HOST, "Content-Encoding", "identity"])).headers.size).toBe(0);
  });
});

describe("Host", () => {
  test.each(["localhost", "a.b.example:7878", "127.0.0.1", "[::1]:7878", "keybrake_proxy:7878", "A"])(
    "takes %j",
    (host) => {
      expect(accepted(parseHeaders(["Host", host])).host).toBe(host);
    },
  );

  test.each([
    "",
    "a#",
    "x/?",
    "a/b",
    "a?b",
    "user@a",
    "a:",
    "a:b",
    "a:123456",
    "a b",
    "a,b",
    "[::1",
    "::1",
    "-a",
    ".",
    "a\\b",
    "é",
    "a%2f",
  ])("refuses %j", (host) => {
    refusal(parseHeaders(["Host", host]));
  });

  test("refuses a request without one", () => {
    refusal(parseHeaders(["Accept", "*/*"]));
  });
});

describe("limits", () => {
  test("takes 100 headers and refuses the next", () => {
    const raw = [...HOST, ...Array.from({ length: 99 }, (_, index) => [`X-${index}`, "1"]).flat()];
    accepted(parseHeaders(raw));
    expect(refusal(parseHeaders([...raw, "X-More", "1"]))).toContain("100");
  });

  test("takes 16 KB and refuses more", () => {
    const room = 16_384 - "Host".length - "127.0.0.1:7878".length - "X-A".length - 8;
    accepted(parseHeaders([...HOST, "X-A", "a".repeat(room)]));
    expect(refusal(parseHeaders([...HOST, "X-A", "a".repeat(room + 1)]))).toContain("16384");
  });
});

test("no refusal repeats a header's value but Content-Encoding's", () => {
  for (const raw of [
    ["Authorization", "secret\x00"],
    ["Authorization", "secret", "Authorization", "secret"],
    ["Connection", "secret"],
  ]) {
    expect(refusal(parseHeaders([...HOST, ...raw]))).not.toContain("secret");
  }
});
