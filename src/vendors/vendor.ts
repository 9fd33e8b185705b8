import type { Answer, BodyKind, Call, JsonValue, Method } from "../core/call.ts";
import type { Currency, CurrencyRates } from "../core/currency.ts";
import type { CostSource } from "../core/hold.ts";
import type { Micros } from "../core/money.ts";
import type { RefusalCode } from "../core/verdict.ts";
import type { PriceName } from "./price-name.ts";

/**
 * What a call's money is; a policy can cap each by itself (`caps: { refund: … }`). Of these, what a policy can name stands
 * in `CAPPED_KINDS`.
 */
export type MoneyKind = "read" | "write" | CappedKind;

/**
 * - `charge`: money taken from a payer, or committed to be; invoices and subscriptions too;
 * - `refund`, `payout`, `transfer`, `topup`: as Stripe names them; a transfer also between own and connected accounts;
 * - `credit`: value given away (balances, credit notes, credit grants, forfeited disputes);
 * - `card`: what an issued card may spend;
 * - `message`, `call`, `number`, `verification`, `lookup`: Twilio's products;
 * - `email`: one or more recipients;
 * - `other`: paid for by unit and none of these.
 */
export const CAPPED_KINDS = [
  "charge",
  "refund",
  "payout",
  "transfer",
  "topup",
  "credit",
  "card",
  "message",
  "call",
  "number",
  "verification",
  "lookup",
  "email",
  "other",
] as const;
export type CappedKind = (typeof CAPPED_KINDS)[number];

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
  /** Whose money it is, where a look-up has told (the customer of a confirmed PaymentIntent). */
  readonly customer?: string;
  /** What this call's money is, where that is not its operation's kind: a credit note that refunds, an invoice below zero. */
  readonly kind?: CappedKind;
  /**
   * True where nobody can say what the call costs and the policy lets it in (`on_unknown_cost`): `micros` is what it
   * reserves for such a call, 0 where it is not counted.
   */
  readonly unpriced?: boolean;
  /** `Operation.object`, where only a look-up could tell it: the subscription of an item. */
  readonly object?: string;
}

/**
 * A read that Keybrake makes with the real secret before it holds a call whose request does not say what it costs. Never
 * one that costs or changes anything.
 */
export interface LookUp {
  /** POST only for what computes and keeps nothing (an invoice preview). */
  readonly method: "GET" | "POST";
  /** As `Call.path`: product host first. */
  readonly path: string;
  /** Raw, without `?`. */
  readonly query: string;
  /** Form body of a POST; empty for a GET. */
  readonly form: string;
}

/** What look-ups have found, the JSON of 2xx answers, by `lookUpName`. */
export type Found = ReadonlyMap<string, JsonValue>;

/** What has to be looked up before the most that a call can cost can be said; `exposure` is asked again with it. */
export interface Missing {
  readonly ok: false;
  readonly code: "look_up";
  readonly lookUps: readonly LookUp[];
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
  /** An object of the vendor's as the answer shows it: saves the look-up of `GET path` before a later call. */
  readonly remember?: { readonly path: string; readonly object: JsonValue };
  /** Where the vendor gives its own price later: the read that tells it, for `Vendor.reconciledCost`. */
  readonly pricedLaterAt?: string;
  /** What the price there leaves out, and stays counted: a call's speech and recording beside its leg. */
  readonly besidesMicros?: Micros;
}

/** What the operator configured and a vendor's declaration needs to price a call. */
export interface Pricing {
  readonly currencyRates: CurrencyRates;
  /** Operator's prices by the names that `Vendor.prices` declares, in micro-dollars; they win over the vendor's own. */
  readonly prices: ReadonlyMap<string, Micros>;
}

/**
 * - `free`: moves and commits no money;
 * - `priced`: its ceiling is in the request;
 * - `look_up`: its ceiling is in the request or in what the vendor says of the objects that the request names;
 * - `closed`: hands out credentials or takes over the account; a policy opens it only by the route's exact text;
 * - `unknown`: it may move money, and nobody can say before the call how much. Refused as
 *   `cost_unknown` unless the policy says otherwise (`on_unknown_cost`).
 */
export type OperationClass = "free" | "priced" | "look_up" | "closed" | "unknown";

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
  /**
   * Required for `priced` and `look_up`. Pure; it says what it misses and is asked again once that is in `found`, so that
   * one look-up may follow from another.
   */
  readonly exposure?: (call: Call, pricing: Pricing, found: Found) => Exposure | NoExposure | Missing;
  /** Required for `priced` and `look_up`. Called for 2xx answers only. */
  readonly cost?: (call: Call, answer: Answer, exposure: Exposure, pricing: Pricing) => Cost;
  /**
   * The path at which the vendor has the object whose amount this call relies on or changes: of all calls that name one
   * object here only one is under way at a time, so that none raises an amount between another's look-up and its end.
   */
  readonly object?: (call: Call) => string | undefined;
  /**
   * What is counted for a `priced` or `look_up` operation, for people: a half sentence such as `the amount of the request`.
   * Without it the list of operations says so in general words. Of a `free` one: what is free, where its body decides.
   */
  readonly counts?: string;
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
  /** Whether the same request can succeed within seconds, so that an SDK may repeat it. */
  readonly mayRetry: boolean;
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
  /** Where it is no code but a declaration: Keybrake's own, which nobody misses until it is set up, or the operator's. */
  readonly declared?: "shipped" | "configured";
  /** https origin of the main host, e.g. `https://api.stripe.com`; `{account}` in it stands for the account id. */
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
  /**
   * A field at the top of JSON bodies in which the SDK repeats its credential (Segment's `writeKey`): the vault key is read
   * there, and replaced by the secret before the body is sent. The one place in which a body is not sent as it came.
   */
  readonly credentialBodyField?: string;
  /** The credential headers to send upstream. */
  readonly writeCredential: (secret: VendorSecret) => readonly (readonly [string, string])[];
  /** Whether `vendor set` needs an account id, and what it looks like. */
  readonly accountId?: { readonly flag: string; readonly pattern: RegExp; readonly description: string };
  /** A cheap read for `vendor test`; `{account}` stands for the account id. Empty where there is none. */
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
  /** Set where an official SDK sends its bodies in chunks, without saying how long they are. They go on with their length. */
  readonly chunkedBodies?: true;
  /** Statuses beside the common ones (400 401 403 404 422) after which nothing was spent. */
  readonly releasedStatuses: readonly number[];
  /**
   * Members of a JSON answer to a GET, by their path, in which the vendor writes absolute links that its SDKs follow to
   * further pages: they are made to lead to the proxy.
   */
  readonly pageLinks?: { readonly fields: readonly (readonly string[])[] };
  /** Every price that an operator can set for this vendor, with the figure that holds without: all that its code reads. */
  readonly prices: readonly PriceName[];
  /** The first whose route matches decides; a call that matches none is `unknown`. */
  readonly operations: readonly Operation[];
  /** The cost that a `pricedLaterAt` read tells; undefined while the vendor has none yet. */
  readonly reconciledCost?: (json: JsonValue, pricing: Pricing) => Cost | undefined;
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
