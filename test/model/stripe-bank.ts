import { randomUUID } from "node:crypto";
import type { DoubleAnswer, RecordedRequest } from "../harness/vendor-double.ts";

/** What the bank does with one request beside answering it. */
export type Mishap = "none" | "declines" | "fails_after" | "cuts_off_after" | "fails_before";

/** A payment method whose payer has to agree to each payment (3D Secure). */
export const ASKS_PAYER = "pm_card_threeDSecureRequired";

interface Intent {
  readonly id: string;
  amount: number;
  /** Authorised and not yet captured. */
  capturable: number;
  received: number;
  refunded: number;
  isManual: boolean;
  isCanceled: boolean;
  hasMethod: boolean;
  /** Whether its payer has to agree to every confirmation by a way that does not pass through here. */
  asksPayer: boolean;
  /** Confirmed, and waiting for that. */
  isAwaited: boolean;
}

interface Transfer {
  readonly id: string;
  readonly amount: number;
  reversed: number;
}

/**
 * A Stripe that keeps accounts: PaymentIntents with their charges, refunds, payouts, transfers and their reversals, by
 * Stripe's own rules (docs.stripe.com/payments/paymentintents/lifecycle). It knows nothing of Keybrake, and adds up by
 * itself what has been committed or moved, in cents. Idempotency keys answer as Stripe's do.
 */
export class StripeBank {
  readonly intents = new Map<string, Intent>();
  readonly #transfers = new Map<string, Transfer>();
  readonly #answers = new Map<string, { readonly body: string; readonly answer: DoubleAnswer }>();
  #otherCents = 0;
  #stepCents = 0;
  /** Of every PaymentIntent, the most that was committed at any time: an authorisation that is let go was committed, too. */
  readonly #committed = new Map<string, number>();

  /** Everything that was ever committed or moved: what a cap is about. */
  get movedCents(): number {
    return [...this.#committed.values()].reduce((sum, cents) => sum + cents, this.#otherCents);
  }

  /** The same where each step of a payment counts by itself: what may be counted of one whose earlier steps nobody remembers. */
  get stepCents(): number {
    return this.#stepCents + this.#otherCents;
  }

  handle({ method, target, headers, body }: RecordedRequest, mishap: Mishap): DoubleAnswer {
    if (mishap === "fails_before") return { status: 500, body: error("before") };
    const key = headers["idempotency-key"];
    const stored = method === "POST" && key !== undefined ? this.#answers.get(key) : undefined;
    if (stored && stored.body !== `${target}\n${body}`) return { status: 400, body: error("idempotency_error") };
    const isReplay = stored !== undefined;
    const answer = stored?.answer ?? this.#serve(method, target, new URLSearchParams(body), mishap === "declines");
    // A 400 is outside Stripe's idempotency layer.
    const isKept = typeof answer === "object" && "status" in answer && answer.status !== 400;
    if (method === "POST" && key !== undefined && !isReplay && isKept) {
      this.#answers.set(key, { body: `${target}\n${body}`, answer });
    }
    if (mishap === "fails_after") return { status: 502, body: error("after") };
    if (mishap === "cuts_off_after") return { truncated: '{"id":"' };
    if (!isReplay || typeof answer === "string" || !("status" in answer)) return answer;
    return { ...answer, headers: { "idempotent-replayed": "true" } };
  }

  #serve(method: string, target: string, form: URLSearchParams, declines: boolean): DoubleAnswer {
    const { pathname, searchParams } = new URL(target, "http://bank");
    const [, , family, id, verb] = pathname.split("/");
    if (method === "GET" && id === undefined) return this.#chargesOf(searchParams.get("payment_intent") ?? "");
    if (method === "GET") return this.#read(family!, id!);
    if (family === "payment_intents") return this.#payment(id, verb, form, declines);
    if (family === "refunds") return this.#refund(form);
    if (family === "payouts") return this.#moved("payout", amountOf(form), { status: "pending" });
    if (family === "transfers" && verb === "reversals") return this.#reverse(id!, form);
    if (family === "transfers") return this.#transfer(form);
    return { status: 404, body: error("unknown path") };
  }

  #chargesOf(intentId: string): DoubleAnswer {
    const intent = this.intents.get(intentId);
    const data = intent && (intent.received > 0 || intent.capturable > 0) ? [chargeOf(intent)] : [];
    return ok({ object: "list", data, has_more: false });
  }

  #read(family: string, id: string): DoubleAnswer {
    if (family === "payment_intents") {
      const intent = this.intents.get(id);
      return intent ? ok(shown(intent, true)) : missing();
    }
    if (family === "charges") {
      const intent = this.intents.get(id.replace(/^ch_/, "pi_"));
      return intent ? ok(chargeOf(intent)) : missing();
    }
    const transfer = family === "transfers" ? this.#transfers.get(id) : undefined;
    return transfer ? ok(shownTransfer(transfer)) : missing();
  }

  #payment(id: string | undefined, verb: string | undefined, form: URLSearchParams, declines: boolean): DoubleAnswer {
    const intent = id === undefined ? this.#newIntent(form) : this.intents.get(id);
    if (!intent) return missing();
    if (id === undefined && form.get("confirm") !== "true") return ok(shown(intent));
    const acts = verb ?? (id === undefined ? "confirm" : "update");
    const problem = this.#act(intent, acts, form, declines);
    return problem ?? ok(shown(intent));
  }

  #newIntent(form: URLSearchParams): Intent {
    const intent: Intent = {
      id: `pi_${randomUUID().replaceAll("-", "")}`,
      amount: amountOf(form),
      capturable: 0,
      received: 0,
      refunded: 0,
      isManual: form.get("capture_method") === "manual",
      isCanceled: false,
      hasMethod: form.has("payment_method"),
      asksPayer: form.get("payment_method") === ASKS_PAYER,
      isAwaited: false,
    };
    this.intents.set(intent.id, intent);
    return intent;
  }

  #act(intent: Intent, verb: string, form: URLSearchParams, declines: boolean): DoubleAnswer | undefined {
    const isOpen = intent.received === 0 && intent.capturable === 0 && !intent.isCanceled;
    const refused: DoubleAnswer = { status: 400, body: error(`${verb} in this state`) };
    const amount = form.get("amount");
    switch (verb) {
      case "update":
        if (!isOpen) return refused;
        if (amount !== null) intent.amount = Number(amount);
        if (amount !== null) intent.isAwaited = false;
        return undefined;
      case "confirm":
        if (!isOpen) return refused;
        if (declines) return { status: 402, body: error("card_declined") };
        intent.hasMethod = true;
        intent.isAwaited = intent.asksPayer;
        if (!intent.isAwaited) take(intent);
        break;
      case "increment_authorization":
        if (intent.capturable === 0 || Number(amount) <= intent.amount) return refused;
        intent.amount = Number(amount);
        intent.capturable = intent.amount;
        break;
      case "capture": {
        const asked = Number(form.get("amount_to_capture") ?? intent.capturable);
        if (intent.capturable === 0 || asked > intent.capturable) return refused;
        intent.received = asked;
        intent.capturable = 0;
        break;
      }
      case "cancel":
        if (intent.received > 0 || intent.isCanceled) return refused;
        intent.isCanceled = true;
        intent.isAwaited = false;
        intent.capturable = 0;
        return undefined;
      default:
        return { status: 404, body: error("unknown verb") };
    }
    this.#stepCents += verb === "capture" ? intent.received : intent.amount;
    const committed = intent.isAwaited ? intent.amount : intent.received + intent.capturable;
    this.#committed.set(intent.id, Math.max(committed, this.#committed.get(intent.id) ?? 0));
    return undefined;
  }

  /** Somebody makes a PaymentIntent without Keybrake, of which it knows nothing. */
  makeElsewhere(cents: number, isManual: boolean): void {
    const manual = isManual ? "&capture_method=manual" : "";
    this.#newIntent(new URLSearchParams(`amount=${cents}&payment_method=pm_card_visa${manual}`));
  }

  /** The payer of the PaymentIntent agrees, or does not, to what waits for that: without a call through Keybrake. */
  payerAnswers(id: string, agrees: boolean): void {
    const intent = this.intents.get(id);
    if (!intent?.isAwaited) return;
    intent.isAwaited = false;
    if (agrees) take(intent);
    else intent.hasMethod = false;
  }

  #refund(form: URLSearchParams): DoubleAnswer {
    const intent = this.intents.get((form.get("payment_intent") ?? form.get("charge") ?? "").replace(/^ch_/, "pi_"));
    if (!intent) return missing();
    const left = intent.received - intent.refunded;
    const amount = Number(form.get("amount") ?? left);
    if (amount <= 0 || amount > left) return { status: 400, body: error("more than is left") };
    intent.refunded += amount;
    return this.#moved("refund", amount, { status: "succeeded", payment_intent: intent.id });
  }

  #transfer(form: URLSearchParams): DoubleAnswer {
    const transfer = { id: `tr_${randomUUID().replaceAll("-", "")}`, amount: amountOf(form), reversed: 0 };
    this.#transfers.set(transfer.id, transfer);
    this.#otherCents += transfer.amount;
    return ok(shownTransfer(transfer));
  }

  #reverse(id: string, form: URLSearchParams): DoubleAnswer {
    const transfer = this.#transfers.get(id);
    if (!transfer) return missing();
    const left = transfer.amount - transfer.reversed;
    const amount = Number(form.get("amount") ?? left);
    if (amount <= 0 || amount > left) return { status: 400, body: error("more than is left") };
    transfer.reversed += amount;
    return this.#moved("transfer_reversal", amount, { transfer: id });
  }

  #moved(object: string, cents: number, more: Record<string, unknown>): DoubleAnswer {
    this.#otherCents += cents;
    return ok({
      id: `${object.slice(0, 2)}_${randomUUID().replaceAll("-", "")}`,
      object,
      amount: cents,
      currency: "usd",
      ...more,
    });
  }

  get transferIds(): readonly string[] {
    return [...this.#transfers.keys()];
  }
}

function take(intent: Intent): void {
  if (intent.isManual) intent.capturable = intent.amount;
  else intent.received = intent.amount;
}

function amountOf(form: URLSearchParams): number {
  return Number(form.get("amount") ?? 0);
}

function shown(intent: Intent, isRead = false): Record<string, unknown> {
  const { id, amount, capturable, received } = intent;
  const charge = received > 0 || capturable > 0 ? `ch_${id.slice(3)}` : null;
  return {
    id,
    object: "payment_intent",
    amount,
    amount_capturable: capturable,
    amount_received: received,
    currency: "usd",
    customer: null,
    status: statusOf(intent),
    latest_charge: charge !== null && isRead ? chargeOf(intent) : charge,
  };
}

function statusOf({ isCanceled, received, capturable, hasMethod, isAwaited }: Intent): string {
  if (isCanceled) return "canceled";
  if (isAwaited) return "requires_action";
  if (received > 0) return "succeeded";
  if (capturable > 0) return "requires_capture";
  return hasMethod ? "requires_confirmation" : "requires_payment_method";
}

function chargeOf({ id, amount, received, capturable, refunded }: Intent): Record<string, unknown> {
  return {
    id: `ch_${id.slice(3)}`,
    object: "charge",
    amount,
    amount_captured: received,
    amount_refunded: refunded,
    captured: received > 0,
    currency: "usd",
    customer: null,
    payment_intent: id,
    status: received > 0 || capturable > 0 ? "succeeded" : "failed",
  };
}

function shownTransfer({ id, amount, reversed }: Transfer): Record<string, unknown> {
  return { id, object: "transfer", amount, amount_reversed: reversed, currency: "usd", reversed: reversed === amount };
}

function ok(object: Record<string, unknown>): DoubleAnswer {
  return { status: 200, body: JSON.stringify(object) };
}

function missing(): DoubleAnswer {
  return { status: 404, body: error("resource_missing") };
}

function error(message: string): string {
  return JSON.stringify({ error: { type: "invalid_request_error", message } });
}
