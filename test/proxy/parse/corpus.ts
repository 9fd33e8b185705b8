/**
 * The first corpus of the security page as raw HTTP/1.1 requests, every row that a client can send. `bytes` is written
 * to a socket as it is; the key is one for Stripe whose policy allows `* /**` in US dollars.
 */
export interface CorpusRow {
  /** As the security page writes the row. */
  readonly name: string;
  readonly bytes: (host: string, key: string) => string;
  /** `status` 0: no answer can be seen. `code` is missing where the HTTP server itself answers, in bare HTTP. */
  readonly expect: { readonly status: number; readonly code?: string };
  /** Who ends it: the HTTP server, the strict parsers, the judgement of amount and currency, or nobody. */
  readonly stage: "server" | "parse" | "judge" | "forwarded";
  /** `METHOD /path` of each call that the vendor must see; without it the vendor must see none. */
  readonly forwards?: readonly string[];
  /** How to write the bytes; `at_once` and wait for the answer unless it says otherwise. */
  readonly drive?: "byte_per_second" | "close_after_write";
}

const FORM = "Content-Type: application/x-www-form-urlencoded";
const JSON_TYPE = "Content-Type: application/json";
const CHARGES = "/stripe/v1/charges";
/** Takes JSON, as all of Stripe's v2 does. */
const PAYMENTS_V2 = "/stripe/v2/money_management/outbound_payments";
const GOOD_FORM = "amount=100&currency=usd";
const REJECTED = { status: 400, code: "request_rejected" };
const UNSUPPORTED = { status: 415, code: "encoding_unsupported" };

/** Paths that a vendor, or a proxy before it, may read in another way than we do. */
export const AMBIGUOUS_TARGETS: readonly string[] = [
  "/stripe/\\v1/payouts",
  "/stripe/v1/charges/../payouts",
  "/stripe/v1/charges/%2e%2e/payouts",
  "/stripe/v1%2Fcharges",
  "/stripe/v1/charges;x=1",
  "/stripe/v1/payouts#/v1/charges",
  "/stripe/v1/%63harges",
  "/stripe/v1/charges%00",
  "/stripe/v1/%252e%252e/payouts",
];

interface Request {
  readonly target?: string;
  readonly body?: string;
  /** Beside Host, Authorization and Content-Length. */
  readonly headers?: readonly string[];
  readonly host?: string;
  /** In place of the right Content-Length. */
  readonly framing?: readonly string[];
}

function render(request: Request, host: string, key: string): string {
  const body = request.body ?? GOOD_FORM;
  const head = [
    `POST ${request.target ?? CHARGES} HTTP/1.1`,
    `Host: ${request.host ?? host}`,
    `Authorization: Bearer ${key}`,
    ...(request.headers ?? [FORM]),
    ...(request.framing ?? [`Content-Length: ${new TextEncoder().encode(body).length}`]),
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

function parseRow(name: string, request: Request, expect: CorpusRow["expect"] = REJECTED): CorpusRow {
  return { name, bytes: (host, key) => render(request, host, key), expect, stage: "parse" };
}

function judgeRow(name: string, body: string, expect: CorpusRow["expect"] = REJECTED): CorpusRow {
  return { name, bytes: (host, key) => render({ body }, host, key), expect, stage: "judge" };
}

const TARGETS: readonly CorpusRow[] = [
  {
    name: "/stripe//v1/payouts",
    bytes: (host, key) => render({ target: "/stripe//v1/payouts" }, host, key),
    expect: { status: 200 },
    stage: "forwarded",
    forwards: ["POST /v1/payouts"],
  },
  ...AMBIGUOUS_TARGETS.map((target) => parseRow(target, { target })),
];

const HEADERS: readonly CorpusRow[] = [
  parseRow("Host: a#", { host: "a#" }),
  parseRow("Host: x/?", { host: "x/?" }),
  parseRow("two Authorization", { headers: [FORM, "Authorization: Bearer x"] }),
  parseRow("two Content-Type", { headers: [FORM, JSON_TYPE] }),
  parseRow("Connection: authorization", { headers: [FORM, "Connection: authorization"] }),
  parseRow("X-HTTP-Method-Override: GET", { headers: [FORM, "X-HTTP-Method-Override: GET"] }),
  parseRow("Content-Encoding: gzip", { headers: [FORM, "Content-Encoding: gzip"] }, UNSUPPORTED),
];

const FORMS: readonly CorpusRow[] = [
  ...["amount=1&amount=99999", "amount=1& amount=99999", "amount=1&amount[]=99999", "amount=1&%61mount=99999"].map(
    (pair) => parseRow(pair, { body: `${pair}&currency=usd` }),
  ),
  ...["amount=1e9", "amount=-5", "amount=0100", "amount=1.5"].map((pair) => judgeRow(pair, `${pair}&currency=usd`)),
  // A bare "+" is a space to the form grammar; both spellings must fail.
  judgeRow("amount=+5", "amount=+5&currency=usd"),
  judgeRow("amount=+5 (escaped)", "amount=%2B5&currency=usd"),
  judgeRow("amount=９ (full-width)", "amount=９&currency=usd"),
  judgeRow("amount=９ (full-width, escaped)", "amount=%EF%BC%99&currency=usd"),
  parseRow("?amount=99999 with a body amount", { target: `${CHARGES}?amount=99999` }),
  judgeRow("currency=JPY", "amount=100&currency=JPY"),
  judgeRow("currency=xyz", "amount=100&currency=xyz", { status: 403, code: "currency_denied" }),
];

const JSON_BODIES: readonly CorpusRow[] = [
  ...['{"amount":1,"amount":2}', '{"amount":1,"\\u0061mount":2}', '{"amount":9007199254740993}'].map((body) =>
    parseRow(body, { target: PAYMENTS_V2, headers: [JSON_TYPE], body }),
  ),
  parseRow("form body with application/json", { target: PAYMENTS_V2, headers: [JSON_TYPE] }),
  parseRow("text/plain", { headers: ["Content-Type: text/plain"] }, UNSUPPORTED),
  parseRow("JSON with a BOM", {
    target: PAYMENTS_V2,
    headers: [JSON_TYPE],
    body: '\uFEFF{"amount":{"value":1,"currency":"usd"}}',
  }),
];

const FRAMING: readonly CorpusRow[] = [
  {
    name: "two Content-Length",
    bytes: (host, key) => render({ framing: ["Content-Length: 23", "Content-Length: 5"] }, host, key),
    expect: { status: 400 },
    stage: "server",
  },
  parseRow("two Content-Length (equal)", { framing: ["Content-Length: 23", "Content-Length: 23"] }),
  {
    name: "Transfer-Encoding: chunked with Content-Length",
    bytes: (host, key) =>
      render(
        { framing: ["Content-Length: 23", "Transfer-Encoding: chunked"], body: `17\r\n${GOOD_FORM}\r\n0\r\n\r\n` },
        host,
        key,
      ),
    expect: { status: 400 },
    stage: "server",
  },
  parseRow("chunk trailer", {
    framing: ["Transfer-Encoding: chunked"],
    body: `17\r\n${GOOD_FORM}\r\n0\r\nAuthorization: Bearer x\r\n\r\n`,
  }),
  {
    name: "pipelined POSTs",
    bytes: (host, key) => render({}, host, key) + render({ target: "/stripe/v1/payouts" }, host, key),
    expect: { status: 200 },
    stage: "forwarded",
    forwards: ["POST /v1/charges", "POST /v1/payouts"],
  },
  {
    name: "20 KB header",
    bytes: (host, key) => render({ headers: [FORM, `X-Filler: ${"a".repeat(20_480)}`] }, host, key),
    expect: { status: 431 },
    stage: "server",
  },
  parseRow(
    "200 MB Content-Length",
    { framing: ["Content-Length: 209715200"] },
    { status: 413, code: "body_too_large" },
  ),
];

const TIMING: readonly CorpusRow[] = [
  {
    name: "one byte a second",
    bytes: (host, key) => render({}, host, key),
    expect: REJECTED,
    stage: "server",
    drive: "byte_per_second",
  },
  {
    name: "client gone after the body",
    bytes: (host, key) => render({}, host, key),
    expect: { status: 0 },
    stage: "forwarded",
    forwards: ["POST /v1/charges"],
    drive: "close_after_write",
  },
];

export const FIRST_CORPUS: readonly CorpusRow[] = [
  ...TARGETS,
  ...HEADERS,
  ...FORMS,
  ...JSON_BODIES,
  ...FRAMING,
  ...TIMING,
];

/** Bodies without a length, as stripe-go sends them, and what is no such body. */
export const CHUNKED_CORPUS: readonly CorpusRow[] = [
  {
    name: "a body in chunks",
    bytes: (host, key) =>
      render({ framing: ["Transfer-Encoding: chunked"], body: `17\r\n${GOOD_FORM}\r\n0\r\n\r\n` }, host, key),
    expect: { status: 200 },
    stage: "forwarded",
    forwards: ["POST /v1/charges"],
  },
  ...["+17\r\n", "0x17\r\n", "-17\r\n", "17 \r\n", "17\n", "17;\rx\r\n", "10000000000000017\r\n", "16\r\n"].map(
    (size): CorpusRow => ({
      name: `a chunk's size as ${JSON.stringify(size)}`,
      bytes: (host, key) =>
        render({ framing: ["Transfer-Encoding: chunked"], body: `${size}${GOOD_FORM}\r\n0\r\n\r\n` }, host, key),
      expect: { status: 400 },
      stage: "server",
    }),
  ),
  parseRow("chunks without an end", {
    framing: ["Transfer-Encoding: chunked"],
    body: `17\r\n${GOOD_FORM}\r\n`,
  }),
];
