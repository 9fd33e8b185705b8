import type { Answer, BodyKind, Call, Method } from "../core/call.ts";
import type { Currency, CurrencyRates } from "../core/currency.ts";
import type { CostSource } from "../core/hold.ts";
import type { Micros } from "../core/money.ts";
import type { RefusalCode } from "../core/verdict.ts";

/** What a call's money is; a policy can tell a refund from a charge. `read` and `write` move nothing. */
export type MoneyKind =
  | "read"
  | "write"
  | "charge"
  | "refund"
  | "payout"
  | "transfer"
  | "topup"
  | "message"
  | "call"
  | "email";

/** The most that a call can cost, known before it leaves. */
export interface Exposure {
  readonly ok: true;
  readonly micros: Micros;
  /** What sends are counted in: messages for Twilio, recipients for Resend; 0 where the call sends nothing. */
  readonly sends: number;
  /** The currency that the vendor is asked to move, where it is not the vendor's own pricing in dollars. */
  readonly currency: Currency | undefined;
  /** Where the figure comes from. */
  readonly source: CostSource;
}

/** Why the most that a call can cost cannot be said, in a sentence for the agent. */
export interface NoExposure {
  readonly ok: false;
  readonly code: "cost_unknown" | "currency_denied" | "request_rejected" | "endpoint_denied";
  readonly message: string;
}

/** What a call did cost, read from the vendor's answer; `micros` is never negative. */
export interface Cost {
  readonly micros: Micros;
  readonly source: CostSource;
  /** True where the answer should have had a cost and none could be read: the hold is then counted in full. */
  readonly unreadable?: boolean;
  /** The vendor's id of what was made: `pi_…`, `SM…`, an email id. */
  readonly vendorTxnId?: string;
}

/** What the operator configured and a vendor's declaration needs to price a call. */
export interface Pricing {
  readonly currencyRates: CurrencyRates;
  /** Operator's prices by the names the vendor's file documents, in micro-dollars; they win over the file's own. */
  readonly prices: ReadonlyMap<string, Micros>;
}

/**
 * - `free`: moves and commits no money;
 * - `priced`: its ceiling is in the request;
 * - `unknown`: it may move money, and the request does not say how much;
 * - `closed`: hands out credentials or takes over the account; a policy opens it only by the route's exact text.
 */
export type OperationClass = "free" | "priced" | "unknown" | "closed";

export interface Operation {
  /** `payment_intents.confirm`, or `reads` for a family. */
  readonly name: string;
  // `POST /v1/payment_intents/*/confirm`: the pattern grammar of `allowed_endpoints`.
  readonly route: string;
  readonly class: OperationClass;
  readonly kind: MoneyKind;
  /** Body kinds that this operation takes; others are 415. Default: the vendor's `bodyKinds`. */
  readonly bodyKinds?: readonly BodyKind[];
  /** Largest body in bytes where it is not the server's limit (file uploads). */
  readonly bodyBytesMax?: number;
  /** Required for `priced`. */
  readonly exposure?: (call: Call, pricing: Pricing) => Exposure | NoExposure;
  /** Required for `priced`. Called for 2xx answers only. */
  readonly cost?: (call: Call, answer: Answer, exposure: Exposure, pricing: Pricing) => Cost;
  /** Why an `unknown` or `closed` operation is refused, as a half sentence. */
  readonly reason?: string;
  /**
   * Asked for every call before its class is looked at, `free` ones too: why this one call may not leave although its
   * operation may, such as `expand[]=number` on a read of an Issuing card. No policy overrides it.
   */
  readonly refuse?: (call: Call) => NoExposure | undefined;
}

/** What a call touches that a policy can limit, read from path, query, body and headers. */
export interface Scope {
  /** The vendor's customer whose money it is: `cus_…`. For the audit row and the `customers` rule. */
  readonly customer?: string;
  /** Accounts within the vendor (Stripe Connect, Twilio sub-accounts) that are not the configured one. */
  readonly accounts?: readonly string[];
  /** Recipients: E.164 numbers or e-mail addresses, every one. */
  readonly recipients?: readonly string[];
  /** Sender number or address. */
  readonly senders?: readonly string[];
}

/** How the vendor is set up here; never the secret. */
export interface VendorAccount {
  /** Twilio's account SID; empty for vendors that need none. */
  readonly accountId: string;
}

/** A credential as HTTP wants it, ready to be written upstream. */
export interface VendorSecret {
  readonly secret: string;
  /** Basic user name where it differs from the account id (Twilio API keys `SK…`); empty otherwise. */
  readonly username: string;
  readonly accountId: string;
}

/** A refusal in words and numbers; each vendor dresses it in its own error shape. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly status: number;
  /** A sentence with the numbers, beginning "Keybrake: ". */
  readonly message: string;
  readonly requestId: string;
  /** The `keybrake` object of the body; only what applies. */
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

export interface RefusalAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  /** JSON text. */
  readonly body: string;
}

/**
 * One upstream API as one declaration. Everything Keybrake knows of a vendor is in its file; adding one touches that
 * file, one line in `index.ts` and its test.
 */
export interface Vendor {
  /** Path prefix and name everywhere: `stripe`. */
  readonly name: string;
  /** `Stripe`. */
  readonly title: string;
  /** https origin of the main host, e.g. `https://api.stripe.com`. */
  readonly origin: string;
  /** First path segment → origin of another product's host (`verify` → `https://verify.twilio.com`); removed before forwarding. */
  readonly productOrigins: Readonly<Record<string, string>>;
  /**
   * Paths that belong to another host of the vendor with the path kept: `/v1/files` → files.stripe.com. Where `method`
   * is given, only calls with that method go there: Stripe takes uploads on one host and lists the same path on another.
   */
  readonly pathOrigins: readonly { readonly pattern: RegExp; readonly origin: string; readonly method?: Method }[];
  /** Paths by which a call without a vendor prefix is taken to be this vendor's, for the shape of an error. */
  readonly unprefixed: RegExp;
  /** Headers besides Authorization in which the SDK puts its credential, lower-case. */
  readonly credentialHeaders: readonly string[];
  /** The credential headers to send upstream. */
  readonly writeCredential: (secret: VendorSecret) => readonly (readonly [string, string])[];
  /** Whether `vendor set` needs an account id, and what it looks like. */
  readonly accountId?: { readonly flag: string; readonly pattern: RegExp; readonly description: string };
  /** A cheap read for `vendor test`; `{account}` stands for the account id. */
  readonly probePath: string;
  /** Request headers that go upstream, lower-case, beside content-type, accept, user-agent and idempotency-key. */
  readonly requestHeaders: readonly string[];
  /** Header in which the vendor gives its own id of the request, lower-case. */
  readonly requestIdHeader: string | undefined;
  /** Response header, lower-case, whose text the SDK shows its user: for a warning on a successful call. */
  readonly noticeHeader?: string;
  /** Whether POSTs carry `Idempotency-Key` upstream: `always` (one is made where the client sent none), `passed`, or `never`. */
  readonly idempotency: "always" | "passed" | "never";
  readonly bodyKinds: readonly BodyKind[];
  /** Form fields that the vendor reads as a list when they are repeated. */
  readonly repeatableFields: ReadonlySet<string>;
  /** Statuses beside the common ones (400 401 403 404 422) after which nothing was spent. */
  readonly releasedStatuses: readonly number[];
  /** The first whose route matches decides; a call that matches none is `unknown`. */
  readonly operations: readonly Operation[];
  readonly scope: (call: Call, account: VendorAccount) => Scope;
  readonly refusal: (refusal: Refusal) => RefusalAnswer;
  /** What an agent changes: lines for `key issue` to print, with the SDK's own names. */
  readonly agentLines: (baseUrl: string, vaultKey: string, account: VendorAccount) => readonly AgentSnippet[];
  /** Environment variables that the vendor's SDKs read: for `keybrake run`. */
  readonly agentEnvironment: (
    baseUrl: string,
    vaultKey: string,
    account: VendorAccount,
  ) => Readonly<Record<string, string>>;
}

export interface AgentSnippet {
  /** `Python`, `Node`. */
  readonly language: string;
  readonly lines: readonly string[];
}
