import { hash } from "node:crypto";
import { type Call, isRead } from "../core/call.ts";
import {
  KEY_SLOT,
  type RecordedAnswer,
  type RepeatOutcome,
  type RepeatSlot,
  type RepeatTerms,
} from "../ledger/repeat.ts";
import type { DataPlane } from "./data-plane.ts";
import type { RingKey } from "./key-ring.ts";
import type { Outgoing } from "./refusal.ts";
import type { Ending } from "./settle.ts";
import { idempotencyKeyFor } from "./swap.ts";
import type { VendorSetup } from "./vendor-desk.ts";

/**
 * For as long as Stripe (v1) and Resend remember a key at least (docs.stripe.com/api/idempotent_requests,
 * resend.com/docs/dashboard/emails/idempotency-keys).
 */
const VENDOR_MEMORY_MS = 86_400_000;

/**
 * The record begins before the vendor's and ends before it, also for a look-up that sets out at its very end: one that came
 * too late would be done a second time, under a hold that counts it once.
 */
const KEY_LIFE_MS = VENDOR_MEMORY_MS - 600_000;

/** Larger answers are not kept; a repeat then asks the vendor, which knows the key. */
const RECORDED_BYTES_MAX = 256 * 1024;

/** How repeats of a call are told, or undefined where each is a call of its own: reads, and what its policy says so of. */
export function repeatTerms(
  { policy, id, slotScope }: RingKey,
  setup: VendorSetup,
  call: Call,
  callId: string,
): RepeatTerms | undefined {
  if (isRead(call.method)) return undefined;
  const slots: RepeatSlot[] = [];
  const clientKey = call.headers.get("idempotency-key");
  if (clientKey !== undefined && policy.idempotency === "replay") {
    slots.push({ name: `${KEY_SLOT}${slotScope}${hash("sha256", clientKey, "hex")}`, lifeMs: KEY_LIFE_MS });
  }
  if (slots.length === 0 && policy.dedupWindowMs === undefined) return undefined;
  const requestHash = requestHashOf(call, setup);
  if (policy.dedupWindowMs !== undefined) {
    slots.push({ name: `same:${slotScope}${requestHash}`, lifeMs: policy.dedupWindowMs });
  }
  // A window that outlasts the vendor's memory would have a repeat done again under a hold that counts it once.
  const isForgotten = (policy.dedupWindowMs ?? 0) > KEY_LIFE_MS;
  const vendorKey = isForgotten ? null : (idempotencyKeyFor(setup, call, id, callId)?.sent ?? null);
  return { slots, requestHash, vendorKey };
}

/** These tell about the sender and differ from one attempt to the next; every other header that a vendor gets may decide. */
const ABOUT_THE_SENDER = new Set(["x-stripe-client-user-agent", "x-stripe-client-telemetry"]);

/**
 * SDKs repeat byte by byte. The headers are in it, since with another `Stripe-Account` it is another account's money. The
 * parts are told apart by their lengths, so that no two requests have one hash.
 */
function requestHashOf({ method, path, query, bodyKind, body, headers }: Call, { vendor }: VendorSetup): string {
  const sent = vendor.requestHeaders.filter((name) => !ABOUT_THE_SENDER.has(name));
  const head = JSON.stringify([method, path, query, bodyKind, sent.map((name) => headers.get(name) ?? null)]);
  return new Bun.CryptoHasher("sha256").update(`${head.length}:${head}`).update(body).digest("hex");
}

/** Stripe keeps a decline under its key like a success; what other refusals say may be different the next time. */
const DECLINED = 402;

/** What a call that has ended leaves for its repeats. */
export function repeatOutcome(
  plane: DataPlane,
  keyId: string,
  requestHash: string,
  ending: Ending,
  outgoing: Outgoing | undefined,
): RepeatOutcome {
  const { outcome, to } = ending;
  if (outcome.kind === "not_sent") return "free";
  if (outcome.kind !== "answered") return "unknown";
  if (to === "released" && outcome.status !== DECLINED) return "free";
  if (to === "unresolved" || !outgoing || !(outgoing.body instanceof Uint8Array)) return "unknown";
  if (outgoing.body.length > RECORDED_BYTES_MAX) return "unknown";
  const { status, headers, body } = outgoing;
  const answer = JSON.stringify({ headers, body: Buffer.from(body).toString("base64") });
  return { status, sealed: plane.answers.seal(Buffer.from(answer), `${keyId} ${requestHash}`) };
}

/** Of the first answer, what is about that call alone, and what is said anew: a looked-up answer was a replay itself. */
const NOT_REPLAYED = new Set([
  "x-keybrake-request-id",
  "x-keybrake-cost-usd",
  "x-keybrake-cap-remaining-usd",
  "idempotent-replayed",
  "date",
]);

/** How full a cap was then: Keybrake's own word in the vendor's notice header (answer.ts). */
const NOTICE = "Keybrake: ";

/** The recorded answer as the repeat gets it, or undefined where it cannot be opened (any more). */
export function replay(
  plane: DataPlane,
  keyId: string,
  requestHash: string,
  { status, sealed }: RecordedAnswer,
  callId: string,
): Outgoing | undefined {
  const opened = plane.answers.open(sealed, `${keyId} ${requestHash}`);
  if (!opened) return undefined;
  const { headers, body } = JSON.parse(Buffer.from(opened).toString("utf8")) as {
    headers: [string, string][];
    body: string;
  };
  return {
    status,
    headers: [
      ...headers.filter(([name, value]) => !NOT_REPLAYED.has(name) && !value.startsWith(NOTICE)),
      // Stripe's own word for a stored answer, which its SDKs show; Keybrake's for every vendor.
      ["idempotent-replayed", "true"],
      ["x-keybrake-replayed", "true"],
      ["x-keybrake-request-id", callId],
      ["x-keybrake-cost-usd", "0.00"],
    ],
    body: Buffer.from(body, "base64"),
  };
}
