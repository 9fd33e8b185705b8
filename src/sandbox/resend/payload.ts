import type { JsonValue } from "../../core/call.ts";
import { Refusal, type SandboxAnswer, type SandboxRequest } from "../exchange.ts";

/** `{statusCode, name, message}`, which resend-node hands out verbatim as `error`. */
export function resendError(statusCode: number, name: string, message: string): SandboxAnswer {
  return { status: statusCode, json: { statusCode, name, message } };
}

/** @throws Refusal always: 422. */
export function refuse(message: string, name = "validation_error"): never {
  throw new Refusal(resendError(422, name, message));
}

/** The body, undefined where there is none. @throws Refusal 400 where it is no JSON. */
export function readJson(request: SandboxRequest): JsonValue | undefined {
  if (request.body === "") return undefined;
  try {
    return JSON.parse(request.body) as JsonValue;
  } catch {
    throw new Refusal(resendError(400, "validation_error", "The request body is not valid JSON."));
  }
}

/** The subjects of one email or of a batch, where a failure may be asked for. */
export function subjectsIn(payload: JsonValue | undefined): string[] {
  const items: readonly JsonValue[] = isList(payload) ? payload : payload === undefined ? [] : [payload];
  return items.flatMap((item) => (isRecord(item) && typeof item["subject"] === "string" ? [item["subject"]] : []));
}

export function isRecord(value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** `email@example.com` or `Name <email@example.com>`. */
const ADDRESS = /^(?:[^<>]*<[^\s<>@]+@[^\s<>@]+\.[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+\.[^\s<>@]+)$/;
const RECIPIENTS_MAX = 50;

/** What a validated email asks for. */
export interface Draft {
  readonly from: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
  readonly replyTo: readonly string[];
  readonly subject: string;
  readonly html: string | null;
  readonly text: string | null;
  readonly scheduledAt: string | null;
}

/** @throws Refusal 422 that names the field. */
export function readDraft(value: JsonValue | undefined): Draft {
  if (!isRecord(value)) refuse("The email must be a JSON object.");
  const draft = {
    from: requiredText(value, "from"),
    to: addresses(value, "to"),
    cc: addresses(value, "cc"),
    bcc: addresses(value, "bcc"),
    replyTo: addresses(value, "reply_to"),
    subject: value["template"] === undefined ? requiredText(value, "subject") : (text(value, "subject") ?? ""),
    html: text(value, "html"),
    text: text(value, "text"),
    scheduledAt: text(value, "scheduled_at"),
  };
  if (draft.to.length === 0) refuse("Missing `to` field.", "missing_required_field");
  if (!ADDRESS.test(draft.from)) refuseAddress("from");
  if (draft.html === null && draft.text === null && value["template"] === undefined) {
    refuse("Missing `html` or `text` field.");
  }
  return draft;
}

function text(value: { readonly [key: string]: JsonValue }, field: string): string | null {
  const found = value[field];
  if (found === undefined || found === null) return null;
  return typeof found === "string" ? found : refuse(`The \`${field}\` field must be a \`string\`.`);
}

function requiredText(value: { readonly [key: string]: JsonValue }, field: string): string {
  return text(value, field) || refuse(`Missing \`${field}\` field.`, "missing_required_field");
}

/** One address or a list of them. Resend limits `to` to 50; the sandbox limits the other lists likewise. */
function addresses(value: { readonly [key: string]: JsonValue }, field: string): readonly string[] {
  const found = value[field];
  if (found === undefined || found === null) return [];
  const list: readonly JsonValue[] = isList(found) ? found : [found];
  if (list.length > RECIPIENTS_MAX) {
    refuse(`The \`${field}\` field must have at most ${RECIPIENTS_MAX} addresses, this one has ${list.length}.`);
  }
  return list.map((address) =>
    typeof address === "string" && ADDRESS.test(address.trim()) ? address : refuseAddress(field),
  );
}

function refuseAddress(field: string): never {
  refuse(
    `Invalid \`${field}\` field. The email address needs to follow the \`email@example.com\` or ` +
      "`Name <email@example.com>` format.",
  );
}
