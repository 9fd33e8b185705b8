import { isAddress, isPublicAddress } from "../../core/address.ts";
import { nearestName } from "../../core/nearest.ts";
import type { DataPath } from "../../core/yaml-data.ts";
import { checkOperations } from "./check-operations.ts";
import type { Report } from "./check-shape.ts";
import { fillErrorBody } from "./refusal.ts";
import { type Declaration, ERROR_CODES } from "./schema.ts";

export interface Reports {
  readonly error: Report;
  readonly warning: Report;
}

/** Headers that would carry another credential, another host, or what the forwarder makes anew. */
const HEADERS_REFUSED =
  /^(?:authorization|cookie|host|connection|content-.*|transfer-encoding|te|upgrade|expect|idempotency-key|x-forwarded-.*|x-http-method.*|proxy-.*)$/i;

/** What the shape of a declaration does not say: whether its parts fit together. */
export function checkDeclaration(declared: Declaration, path: DataPath, reports: Reports): void {
  checkOrigins(declared, path, reports);
  checkCredential(declared, path, reports);
  checkAccount(declared, path, reports);
  const { header: own = "", sdk_headers = [] } = declared.credential;
  const credentials = [own, ...sdk_headers].map((header) => header.toLowerCase());
  for (const [index, header] of (declared.request_headers ?? []).entries()) {
    if (!HEADERS_REFUSED.test(header) && !credentials.includes(header.toLowerCase())) continue;
    reports.error([...path, "request_headers", index], `${header} is never passed on: Keybrake writes it itself`);
  }
  checkErrors(declared, path, reports);
  checkOperations(declared, path, reports);
}

function checkOrigins({ origin, hosts = {}, account }: Declaration, path: DataPath, { error }: Reports): void {
  const all: readonly (readonly [DataPath, string])[] = [
    [[...path, "origin"], origin],
    ...Object.entries(hosts).map(([segment, host]) => [[...path, "hosts", segment], host] as const),
  ];
  for (const [at, text] of all) {
    if (text.includes("{account}") && !account) error(at, "origin has {account}, and there is no account");
    const plain = text.replaceAll("{account}", "a");
    const url = URL.canParse(plain) ? new URL(plain) : undefined;
    if (!url || /[{}]/.test(plain) || url.origin !== plain) {
      error(at, `${JSON.stringify(text)} is no origin; write it like https://api.example.com`);
    } else if (isAddress(url.hostname) && !isPublicAddress(url.hostname)) {
      error(at, `${text} is a private address; use \`keybrake vendor set NAME --origin ${text} --private\``);
    }
  }
  for (const segment of Object.keys(hosts)) {
    if (!/^[A-Za-z0-9._~-]+$/.test(segment)) error([...path, "hosts", segment], `${segment} is no segment of a path`);
  }
}

/** Which words belong to which scheme. */
function checkCredential({ credential, account }: Declaration, path: DataPath, { error }: Reports): void {
  const at = [...path, "credential"];
  const { scheme, word, position, header, body_field } = credential;
  if (word !== undefined && scheme !== "bearer") error([...at, "word"], "word goes with the scheme bearer alone");
  if (header !== undefined && scheme !== "header") error([...at, "header"], "header goes with the scheme header alone");
  if (position !== undefined && scheme !== "basic")
    error([...at, "position"], "position goes with the scheme basic alone");
  if (scheme === "header" && header === undefined)
    error(at, "the scheme header needs the header's name: header: X-Api-Key");
  if (scheme === "basic" && position === undefined) error(at, "the scheme basic needs position: user or password");
  if (position === "password" && !account)
    error(at, "position password needs an account, whose id is the user name beside it");
  if (header !== undefined && HEADERS_REFUSED.test(header))
    error([...at, "header"], `${header} is no header for a credential of the vendor's own`);
  if (body_field !== undefined && scheme === "header")
    error([...at, "body_field"], "body_field goes with the schemes bearer and basic");
}

function checkAccount({ account, origin }: Declaration, path: DataPath, { error }: Reports): void {
  if (!account) return;
  const at = [...path, "account", "pattern"];
  try {
    const pattern = new RegExp(`^(?:${account.pattern})$`);
    // The id becomes a part of a host's name or of a path.
    const strays = ["a/b", "a@b", "a:1", "a b", "a#b", "a?b", "a\\b"].filter((text) => pattern.test(text));
    if (strays.length > 0 && origin.includes("{account}")) {
      error(at, `the account stands in the origin, and the pattern takes ${JSON.stringify(strays[0])}`);
    }
  } catch (cause) {
    error(at, `account.pattern is no regular expression: ${(cause as Error).message}`);
  }
}

function checkErrors({ errors }: Declaration, path: DataPath, { error }: Reports): void {
  if (!errors) return;
  const at = [...path, "errors"];
  try {
    const sample = { message: 'a "b"', code: "cap_exceeded", status: 429, request_id: "call_1", word: "w" };
    const body = fillErrorBody(errors.body, sample);
    if (Array.isArray(body) || typeof body !== "object") error([...at, "body"], "errors.body must be a JSON object");
    else if (Object.hasOwn(body, "keybrake")) error([...at, "body"], "errors.body has keybrake, which Keybrake adds");
  } catch {
    error(
      [...at, "body"],
      'errors.body is no JSON; placeholders stand for whole values, as in {"message": {message}}, without quotes',
    );
  }
  if (!errors.body.includes("{message}"))
    error([...at, "body"], "errors.body has no {message}: the reason would be lost");
  for (const field of ["words", "statuses"] as const) {
    for (const code of Object.keys(errors[field] ?? {})) {
      if (ERROR_CODES.has(code) || (field === "words" && code === "other")) continue;
      const nearest = nearestName(code, ERROR_CODES);
      error([...at, field, code], `${code} is none of Keybrake's codes${nearest ? `; did you mean ${nearest}?` : ""}`, {
        nearest,
        at: "key",
      });
    }
  }
}
