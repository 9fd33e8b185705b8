import { randomUUID } from "node:crypto";
import type { JsonValue } from "../../core/call.ts";
import type { Clock } from "../../core/clock.ts";
import type { EpochMs } from "../../core/window.ts";
import { answerOf, Refusal, type SandboxAnswer } from "../exchange.ts";
import type { ObjectStore } from "../object-store.ts";
import type { Routes } from "../route.ts";
import { type Draft, isList, isRecord, readDraft, refuse, resendError } from "./payload.ts";

const BATCH_ITEMS_MAX = 100;
const LIST_ITEMS_MAX = 100;
const DELIVERED_MS = 2_000;

export interface Email extends Draft {
  readonly id: string;
  readonly createdMs: EpochMs;
  readonly canceled: boolean;
}

/** One request, with everything that the account has. */
export interface ResendCall {
  readonly clock: Clock;
  readonly emails: ObjectStore<Email>;
  readonly query: URLSearchParams;
  readonly payload: JsonValue | undefined;
  /** `x-batch-validation: permissive`: send the good items of a batch and name the bad ones. */
  readonly permissive: boolean;
}

export const emailRoutes: Routes<ResendCall> = {
  "POST /emails": (call) => ({ status: 200, json: { id: send(call, readDraft(call.payload)) } }),
  "POST /emails/batch": sendBatch,
  "GET /emails": list,
  "GET /emails/*": (call, id) => ({ status: 200, json: render(call, find(call, id)) }),
  "PATCH /emails/*": reschedule,
  "POST /emails/*/cancel": cancel,
};

function send(call: ResendCall, draft: Draft): string {
  return call.emails.put({ ...draft, id: randomUUID(), createdMs: call.clock.now(), canceled: false }).id;
}

/** Strict: one bad item and nothing is sent. Permissive: the bad ones come back under `errors`. */
function sendBatch(call: ResendCall): SandboxAnswer {
  const items = call.payload;
  if (!isList(items) || items.length === 0) refuse("The batch must be a JSON array with at least one email.");
  if (items.length > BATCH_ITEMS_MAX) {
    refuse(`A batch has at most ${BATCH_ITEMS_MAX} emails, this one has ${items.length}.`);
  }
  if (!call.permissive) {
    const data = items.map(readDraft).map((draft) => ({ id: send(call, draft) }));
    return { status: 200, json: { data } };
  }
  const data: { id: string }[] = [];
  const errors: { index: number; message: string }[] = [];
  for (const [index, item] of items.entries()) {
    const answer = answerOf(() => ({ status: 200, json: { id: send(call, readDraft(item)) } }));
    const json = isRecord(answer.json) ? answer.json : {};
    if (answer.status === 200) data.push({ id: String(json["id"]) });
    else errors.push({ index, message: String(json["message"]) });
  }
  return { status: 200, json: { data, errors } };
}

function list(call: ResendCall): SandboxAnswer {
  const limit = Number(call.query.get("limit") ?? 20);
  if (!Number.isInteger(limit) || limit < 1 || limit > LIST_ITEMS_MAX) {
    refuse(`The \`limit\` must be 1 to ${LIST_ITEMS_MAX}, not ${call.query.get("limit")}.`);
  }
  const all = call.emails.newestFirst();
  const after = call.query.get("after");
  const start = after === null ? 0 : all.indexOf(find(call, after)) + 1;
  const data = all.slice(start, start + limit).map((email) => render(call, email));
  return { status: 200, json: { object: "list", has_more: start + limit < all.length, data } };
}

function reschedule(call: ResendCall, id: string): SandboxAnswer {
  const email = mustBeScheduled(call, id);
  const scheduledAt = isRecord(call.payload) ? call.payload["scheduled_at"] : undefined;
  if (typeof scheduledAt !== "string") refuse("Missing `scheduled_at` field.", "missing_required_field");
  call.emails.put({ ...email, scheduledAt });
  return { status: 200, json: { object: "email", id } };
}

function cancel(call: ResendCall, id: string): SandboxAnswer {
  call.emails.put({ ...mustBeScheduled(call, id), canceled: true });
  return { status: 200, json: { object: "email", id } };
}

function mustBeScheduled(call: ResendCall, id: string): Email {
  const email = find(call, id);
  const event = lastEvent(call, email);
  if (event !== "scheduled") refuse(`Email ${id} is not scheduled: its last event is ${event}.`);
  return email;
}

function find(call: ResendCall, id = ""): Email {
  const email = call.emails.get(id);
  if (!email) throw new Refusal(resendError(404, "not_found", "Email not found"));
  return email;
}

/** Where Resend's test addresses end (resend.com/docs/dashboard/emails/send-test-emails); the sandbox sends no scheduled mail. */
function lastEvent({ clock }: ResendCall, email: Email): string {
  if (email.canceled) return "canceled";
  if (email.scheduledAt !== null) return "scheduled";
  if (clock.now() - email.createdMs < DELIVERED_MS) return "sent";
  const recipients = [...email.to, ...email.cc, ...email.bcc].join(" ");
  const outcome = /\b(bounced|complained|suppressed)(?:\+[^@\s]*)?@resend\.dev\b/.exec(recipients)?.[1];
  return outcome ?? "delivered";
}

function render(call: ResendCall, email: Email): JsonValue {
  return {
    object: "email",
    id: email.id,
    to: email.to,
    from: email.from,
    created_at: new Date(email.createdMs).toISOString(),
    subject: email.subject,
    html: email.html,
    text: email.text,
    bcc: email.bcc,
    cc: email.cc,
    reply_to: email.replyTo,
    last_event: lastEvent(call, email),
    scheduled_at: email.scheduledAt,
  };
}
