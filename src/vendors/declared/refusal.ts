import type { Refusal, RefusalAnswer } from "../vendor.ts";
import type { Declaration } from "./schema.ts";

type DeclaredErrors = NonNullable<Declaration["errors"]>;

/** What most APIs and their SDKs understand. The top-level `error` is there for those that look for nothing else. */
export const USUAL_ERRORS: DeclaredErrors = {
  body: '{"error": {"message": {message}, "code": {code}}, "message": {message}}',
};

const PLACEHOLDER = /\{(message|code|status|request_id|word)\}/g;

/** Dresses refusals in the vendor's shape, with Keybrake's own object beside it. */
export function refusalOf(errors: DeclaredErrors = USUAL_ERRORS): (refusal: Refusal) => RefusalAnswer {
  return (refusal) => {
    const { code, message, requestId, details } = refusal;
    const status = Number(errors.statuses?.[code] ?? refusal.status);
    const word = jsonWord(errors.words?.[code] ?? errors.words?.["other"] ?? code);
    const filled = fillErrorBody(errors.body, { message, code, status, request_id: requestId, word });
    return {
      status,
      headers: [["content-type", "application/json"]],
      body: JSON.stringify({ ...filled, keybrake: { code, message, ...details, request_id: requestId } }),
    };
  };
}

/** A number is written as one: Postmark's ErrorCode is no text. */
function jsonWord(text: string): string | number {
  return /^(?:0|[1-9][0-9]{0,9})$/.test(text) ? Number(text) : text;
}

/** The template's JSON with its placeholders filled. @throws SyntaxError where that is no JSON. */
export function fillErrorBody(template: string, values: Readonly<Record<string, string | number>>): object {
  return JSON.parse(template.replace(PLACEHOLDER, (_, name: string) => JSON.stringify(values[name]))) as object;
}
