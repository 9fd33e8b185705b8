import type { BodyKind, Call, JsonValue, Method } from "../../src/core/call.ts";
import { field } from "../../src/core/call.ts";
import type { Operation, Pricing, Vendor, VendorAccount } from "../../src/vendors/vendor.ts";

export const ACCOUNT: VendorAccount = { accountId: "" };
export const PRICING: Pricing = { currencyRates: new Map(), prices: new Map() };

export interface CallParts {
  readonly fields?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bodyKind?: BodyKind;
  readonly json?: JsonValue;
}

/** A parsed call: `call("POST /v1/charges", { fields: { amount: "500" } })`. */
export function call(endpoint: string, parts: CallParts = {}): Call {
  const [method, path] = endpoint.split(" ") as [Method, string];
  return {
    method,
    path,
    query: "",
    queryFields: new Map(Object.entries(parts.query ?? {})),
    body: new Uint8Array(),
    bodyKind: parts.bodyKind ?? (parts.fields ? "form" : "none"),
    bodyFields: new Map(Object.entries(parts.fields ?? {})),
    json: parts.json,
    headers: new Map(Object.entries(parts.headers ?? {})),
  };
}

const OPERATIONS: readonly Operation[] = [
  { name: "keys", route: "POST /v1/keys", class: "closed", kind: "write", reason: "hands out a key" },
  { name: "charge", route: "POST /v1/charges", class: "priced", kind: "charge", exposure: cents },
  { name: "message", route: "POST /v1/messages", class: "priced", kind: "message", exposure: flat },
  { name: "email", route: "POST /v1/emails", class: "priced", kind: "email", exposure: flat },
  {
    name: "confirm",
    route: "POST /v1/charges/*/confirm",
    class: "unknown",
    kind: "charge",
    reason: "carries no amount",
  },
  { name: "files", route: "POST /v1/files", class: "free", kind: "write", bodyKinds: ["multipart"] },
  { name: "customers", route: "POST /v1/customers/*", class: "free", kind: "write" },
  {
    name: "reads",
    route: "GET /v1/**",
    class: "free",
    kind: "read",
    refuse: (asked) =>
      field(asked, "reveal") === undefined
        ? undefined
        : { ok: false, code: "endpoint_denied", message: "Keybrake: reveal shows a card number." },
  },
];

function cents(asked: Call) {
  const amount = field(asked, "amount");
  if (amount === undefined) return { ok: false, code: "cost_unknown", message: "the request has no amount" } as const;
  const currency = field(asked, "currency") ?? "usd";
  return { ok: true, micros: BigInt(amount) * 10_000n, sends: 0, currency, source: "request" } as const;
}

function flat() {
  return { ok: true, micros: 8_300n, sends: 1, currency: undefined, source: "rate_table" } as const;
}

/** A vendor with one operation of each class; its scope is in plain parameters and the header `account`. */
export const fakeVendor: Vendor = {
  name: "fake",
  title: "Fake",
  origin: "https://api.example.com",
  productOrigins: {},
  pathOrigins: [],
  unprefixed: /^\/v1\//,
  credentialHeaders: [],
  writeCredential: () => [],
  probePath: "/v1/ping",
  requestHeaders: [],
  requestIdHeader: undefined,
  idempotency: "never",
  bodyKinds: ["none", "form"],
  repeatableFields: new Set(),
  releasedStatuses: [],
  prices: [],
  operations: OPERATIONS,
  scope: (asked) => {
    const customer = /^\/v1\/customers\/([^/]+)/.exec(asked.path)?.[1] ?? field(asked, "customer");
    const account = asked.headers.get("account");
    const recipients = field(asked, "to")?.split("|");
    const senders = field(asked, "from")?.split("|");
    return {
      ...(customer !== undefined && { customer }),
      ...(account !== undefined && { accounts: [account] }),
      ...(recipients && { recipients }),
      ...(senders && { senders }),
    };
  },
  refusal: ({ status }) => ({ status, headers: [], body: "" }),
  agentLines: () => [],
  agentEnvironment: () => ({}),
};
