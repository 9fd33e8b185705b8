import { formatUsd } from "../core/money.ts";
import { REPEATABLE, type RefusalCode, VERDICTS } from "../core/verdict.ts";
import type { BudgetUse, HoldDecision } from "../ledger/entry.ts";
import { objectPath } from "../ledger/object.ts";
import type { Refusal, RefusalAnswer, Vendor } from "../vendors/vendor.ts";
import type { DataPlane } from "./data-plane.ts";
import type { RingKey } from "./key-ring.ts";
import type { ParsedRequest } from "./parse.ts";

export type Details = Readonly<Record<string, string | number | boolean | null>>;

/** Why a call is not forwarded, before it has been dressed in a vendor's error shape. */
export interface Denial {
  readonly code: RefusalCode;
  /** Machine-readable: which rule decided. */
  readonly rule: string;
  readonly message: string;
  readonly details: Details;
  /** Set where it is known after how long the same call is admitted. */
  readonly retryAfterSeconds?: number;
}

/** An answer ready for the socket. */
export interface Outgoing {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array | string | ReadableStream<Uint8Array>;
  /** Whether the connection ends with it. */
  readonly closes?: boolean;
  /** To be called when the body has been sent, or nobody takes it any more: until then the call is under way. */
  readonly done?: () => void;
}

/**
 * The denial that a hold was refused with, in words and numbers.
 * @param object the name of the vendor's object that the call needed for itself.
 */
export function holdDenial(
  decision: Extract<HoldDecision, { rule: string }>,
  exposureMicros: bigint,
  earlier: Denial | undefined,
  object?: string,
): Denial {
  const { code, rule, budget, reason } = decision;
  if (earlier && earlier.code === code) return earlier;
  const who = rule.startsWith("auto_revoke.") ? "" : "The operator said: ";
  const why = reason ? ` ${who}${asSentence(reason)}` : "";
  if (code === "key_revoked") return plain(code, rule, `This vault key has been revoked.${why} Stop this run.`);
  if (code === "key_expired") return plain(code, rule, "This vault key has expired; ask for a new one.");
  if (code === "brake_engaged") return plain(code, rule, `An operator has engaged the brake.${why} Stop this run.`);
  if (rule === "frozen") {
    const message = `No vault key works here at the moment: the data directory was ${reason}, and what was spent since then is not in it. An operator must look, and run \`keybrake restore confirm\`.`;
    return plain(code, rule, message);
  }
  if (code === "idempotency_mismatch") {
    return plain(code, rule, "This Idempotency-Key was used with another request; use a new one for a new request.");
  }
  if (rule === "object" && object !== undefined) return objectDenial(code, objectPath(object), reason);
  if (code === "idempotency_in_progress") return plain(code, rule, IN_PROGRESS[rule === "outcome_unknown" ? 1 : 0]!);
  if (code === "rate_exceeded" && budget) return rateDenial(code, budget);
  if (code === "cap_exceeded" && budget) return capDenial(decision, budget, exposureMicros);
  return plain(code, rule, `Refused: ${VERDICTS[code].advice}.`);
}

/** Of the first call: still at the vendor, or sent without anybody knowing what came of it. */
const IN_PROGRESS = [
  "The first call of this request has not been answered yet; wait for it, and repeat this one only if it fails.",
  "The first call of this request was sent and its outcome is not known, so it is not sent again; look at the vendor, and ask the operator to run `keybrake resolve`.",
] as const;

function objectDenial(code: RefusalCode, path: string, heldBy: string | null): Denial {
  const message = `The call ${heldBy} on ${path} is under way, or its outcome is not known; repeat this one when that is settled. If it stays so, ask the operator to run \`keybrake resolve ${heldBy}\`.`;
  return { code, rule: "object", message, details: { object: path, held_by: heldBy } };
}

/** People write a reason as they like; the sentence after it must still begin as one. */
function asSentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

function plain(code: RefusalCode, rule: string, message: string): Denial {
  return { code, rule, message, details: {} };
}

function rateDenial(code: RefusalCode, budget: BudgetUse): Denial {
  const seconds = budget.retryAfterMs === undefined ? undefined : Math.ceil(budget.retryAfterMs / 1_000);
  const wait = seconds === undefined ? "Do not retry." : `Retry after ${seconds} s.`;
  return {
    code,
    rule: budget.name,
    message: `The rate ${budget.name} is reached: ${budget.used} of ${budget.cap} requests are used. ${wait}`,
    details: budgetDetails(budget),
    ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
  };
}

function capDenial(
  { code, rule }: { readonly code: RefusalCode; readonly rule: string },
  budget: BudgetUse,
  exposureMicros: bigint,
): Denial {
  // A rule of another name is the field of a budget above keys.
  const what = rule === budget.name ? "cap" : "budget";
  const reset =
    budget.resetAt === undefined ? "It does not reset." : `It resets at ${new Date(budget.resetAt).toISOString()}.`;
  const numbers =
    budget.unit === "usd"
      ? `$${formatUsd(budget.used)} of $${formatUsd(budget.cap)} is used and this call may cost $${formatUsd(exposureMicros)}`
      : `${budget.used} of ${budget.cap} ${budget.unit} are used`;
  return {
    code,
    rule,
    message: `The ${what} ${budget.name} is reached: ${numbers}.${unratedText(budget)} ${reset} Do not retry.`,
    details: {
      ...budgetDetails(budget),
      ...(budget.unit === "usd" ? { requested_usd: formatUsd(exposureMicros) } : {}),
    },
  };
}

/** A cap whose rate was taken out of the configuration lets nothing through, and only an operator can mend that. */
function unratedText({ lacksRateOf }: BudgetUse): string {
  if (lacksRateOf === undefined) return "";
  return ` It is in ${lacksRateOf}, and this server has no rate for that: the operator must set currency_rates.${lacksRateOf}.`;
}

function budgetDetails(budget: BudgetUse | undefined): Details {
  if (!budget) return {};
  const reset: Details = budget.resetAt === undefined ? {} : { reset_at: new Date(budget.resetAt).toISOString() };
  if (budget.unit !== "usd") {
    const { name, unit, cap, used } = budget;
    return { budget: name, [`cap_${unit}`]: Number(cap), [`used_${unit}`]: Number(used), ...reset };
  }
  return { budget: budget.name, cap_usd: formatUsd(budget.cap), used_usd: formatUsd(budget.used), ...reset };
}

/** Rules of such refusals that only an operator can lift. */
const FINAL_RULES: ReadonlySet<string> = new Set(["frozen", "outcome_unknown"]);

/** Codes after which waiting helps, and for how many seconds. */
const RETRY_AFTER_SECONDS: Partial<Record<RefusalCode, string>> = {
  draining: "2",
  store_unavailable: "5",
  idempotency_in_progress: "1",
};

/** Dresses a denial in the error shape of the vendor that the caller thinks it is talking to. */
export function refuse(plane: DataPlane, request: ParsedRequest, denial: Denial, key?: RingKey): Outgoing {
  const refusal: Refusal = {
    code: denial.code,
    status: VERDICTS[denial.code].status,
    message: denial.message.startsWith("Keybrake: ") ? denial.message : `Keybrake: ${denial.message}`,
    requestId: request.incoming.id,
    mayRetry: REPEATABLE.has(denial.code) && !FINAL_RULES.has(denial.rule),
    details: {
      code: denial.code,
      message: denial.message.replace(/^Keybrake: /, ""),
      ...denial.details,
      ...(key ? { key_id: key.id } : {}),
      request_id: request.incoming.id,
    },
  };
  const answer = vendorOf(plane, request, key)?.refusal(refusal) ?? plainRefusal(refusal);
  const headers: (readonly [string, string])[] = [
    ["content-type", "application/json"],
    ["x-keybrake-request-id", request.incoming.id],
    ...answer.headers.filter(([name]) => name.toLowerCase() !== "content-type"),
  ];
  if (denial.code === "cap_exceeded") headers.push(["x-keybrake-cap-hit", "true"]);
  // Bodies that are being read, of which there are too many, are read within moments.
  const isBusy = denial.code === "rate_exceeded" && denial.rule === "parse";
  const known = denial.retryAfterSeconds?.toString() ?? (isBusy ? "1" : RETRY_AFTER_SECONDS[denial.code]);
  const retryAfter = FINAL_RULES.has(denial.rule) ? undefined : known;
  if (retryAfter) headers.push(["retry-after", retryAfter]);
  // stripe-node leaves the body of what it repeats unread, and its process would wait for this connection to time out.
  return { status: answer.status, headers, body: answer.body, ...(refusal.mayRetry ? { closes: true } : {}) };
}

/** By prefix, by key, or by the look of the path: only for the shape of the error. */
function vendorOf(plane: DataPlane, request: ParsedRequest, key: RingKey | undefined): Vendor | undefined {
  const raw = request.incoming.target;
  const prefix = request.target?.vendor ?? /^\/([a-z0-9-]+)/.exec(raw)?.[1];
  return (
    (prefix === undefined ? undefined : plane.vendors.get(prefix)?.vendor) ??
    (key && plane.vendors.get(key.vendor)?.vendor) ??
    plane.vendors.forPath(raw)
  );
}

/** For paths that are no vendor's. The top-level `error` keeps stripe-node from taking it for a success. */
function plainRefusal(refusal: Refusal): RefusalAnswer {
  const { code, message } = refusal;
  return {
    status: refusal.status,
    headers: [],
    body: JSON.stringify({
      error: { type: "invalid_request_error", code, message },
      message,
      keybrake: refusal.details,
    }),
  };
}
