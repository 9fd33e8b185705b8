/**
 * Every word that Keybrake can say about a call, in order of precedence: where several apply, the first one answers.
 * `status` is the HTTP status unless the vendor's file says otherwise; `advice` is what the agent should do.
 */
interface VerdictMeaning {
  readonly status: number;
  readonly advice: string;
}

export const VERDICTS = {
  /** Another address space than a vendor's or the control plane's. */
  vendor_unknown: { status: 404, advice: "check the base URL: /stripe, /twilio or /resend" },
  /** The request could be read in two ways, or is not HTTP as an SDK writes it. Nothing was sent. */
  request_rejected: { status: 400, advice: "mend the request; a retry of the same bytes is refused again" },
  body_too_large: { status: 413, advice: "send a smaller body" },
  encoding_unsupported: {
    status: 415,
    advice: "send the content type that the endpoint documents, without Content-Encoding",
  },
  key_missing: { status: 401, advice: "put the vault key where the vendor's SDK wants its API key" },
  key_unknown: { status: 401, advice: "use a key printed by `keybrake key issue`" },
  key_revoked: { status: 401, advice: "stop: this run has been stopped, by an operator or a rule of its key" },
  key_expired: { status: 401, advice: "ask for a new vault key" },
  draining: { status: 503, advice: "retry shortly: the server is restarting" },
  store_unavailable: { status: 503, advice: "retry later: nothing is forwarded while it cannot be recorded" },
  vendor_not_configured: { status: 503, advice: "tell the operator to run `keybrake vendor set`" },
  brake_engaged: { status: 403, advice: "stop: an operator has braked this vendor, label or everything" },
  endpoint_denied: { status: 403, advice: "do not retry: this run may not call that endpoint" },
  parameter_denied: { status: 403, advice: "do not retry with this parameter" },
  scope_denied: { status: 403, advice: "do not retry: that account, customer, number or domain is out of scope" },
  currency_denied: { status: 403, advice: "use an allowed currency" },
  cost_unknown: { status: 403, advice: "do not retry: the most this call may cost cannot be known before it is sent" },
  amount_denied: { status: 403, advice: "lower the amount of this one call" },
  idempotency_in_progress: { status: 409, advice: "wait for the first call with this idempotency key" },
  idempotency_mismatch: { status: 409, advice: "use a new idempotency key for a different request" },
  rate_exceeded: { status: 429, advice: "slow down and retry after Retry-After" },
  cap_exceeded: { status: 429, advice: "stop: the budget is spent until it resets or an operator raises it" },
  /** The call was admitted and forwarded. */
  allowed: { status: 200, advice: "" },
  /** Admitted, but the vendor could not be reached: nothing was sent and the hold was released. */
  upstream_unreachable: { status: 502, advice: "retry later: nothing reached the vendor" },
  /** Admitted and sent, but no whole answer came: the hold is kept until the outcome is known. */
  upstream_timeout: { status: 504, advice: "do not assume that nothing happened: the outcome is unknown" },
} as const satisfies Record<string, VerdictMeaning>;

export type Verdict = keyof typeof VERDICTS;

/** A verdict that stops a call before it leaves. */
export type RefusalCode = Exclude<Verdict, "allowed">;

const PRECEDENCE: ReadonlyMap<string, number> = new Map(
  Object.keys(VERDICTS).map((verdict, index) => [verdict, index]),
);

/** True where `first` answers rather than `second` when both apply. */
export function precedes(first: Verdict, second: Verdict): boolean {
  return PRECEDENCE.get(first)! < PRECEDENCE.get(second)!;
}

export function isVerdict(text: string): text is Verdict {
  return PRECEDENCE.has(text);
}

/** Refusals after which an SDK's own repeat, with the same idempotency key, can succeed within its few seconds. */
export const REPEATABLE: ReadonlySet<RefusalCode> = new Set([
  "draining",
  "store_unavailable",
  "idempotency_in_progress",
  // The repeat has the same key, and so finds out what became of the first call.
  "upstream_timeout",
  "upstream_unreachable",
]);
