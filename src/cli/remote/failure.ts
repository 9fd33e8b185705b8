import { Problem, type ProblemCode } from "../../core/problem.ts";
import { VERSION } from "../../core/version.ts";

/** The server did not answer, or not as itself: the same may go well a moment later. */
export class Unreachable extends Problem {
  constructor(message: string, hint?: string) {
    super("unavailable", message, hint);
  }
}

const CODES: readonly ProblemCode[] = ["invalid", "not_found", "conflict", "forbidden", "unavailable", "usage"];

/** Of a proxy in front, and of a server that stops: the next moment it may be there again. */
const PASSING = [502, 503, 504];

/** The part of an answer that says what is wrong, as src/api/errors.ts writes it. */
interface ErrorBody {
  /** Stands in what agents are told, and there alone. */
  readonly keybrake?: object;
  readonly error?: { readonly code?: string; readonly message?: string; readonly hint?: string };
}

/** What an answer that is no success says, in the words that it would have been said locally. */
export function answeredProblem(base: string, asked: string, response: Response, text: string): Problem {
  const { status } = response;
  if (status >= 300 && status < 400) return redirected(base, response);
  const body = parsed(text);
  if (body?.keybrake !== undefined) return agentsAddress(base, asked);
  const said = body?.error;
  if (said?.message === undefined) return notOurs(base, asked, response);
  const { code, message, hint } = said;
  if (code === "unauthenticated") {
    return new Problem(
      "forbidden",
      `${base} does not take KEYBRAKE_API_KEY: ${message}`,
      "make a token on the server's machine: keybrake token issue --role admin",
    );
  }
  if (code === "not_found" && message.startsWith("there is no route ")) return otherVersion(base, asked);
  if (code === "internal") return new Unreachable(`${base}: ${message}`, "look at the server's log, and try again");
  if (PASSING.includes(status)) return new Unreachable(message, hint);
  return new Problem(CODES.find((known) => known === code) ?? "unavailable", message, hint);
}

/** What kept a request from being answered at all. */
export function transportProblem(base: string, cause: unknown, timeoutMs: number): Problem {
  const { name, code, message } = cause as { name?: string; code?: unknown; message?: string };
  if (name === "TimeoutError") {
    return new Unreachable(
      `${base} did not answer within ${timeoutMs / 1_000} s`,
      "try again; where something was to be changed, look first whether it was",
    );
  }
  const word = typeof code === "string" ? code : (message ?? String(cause));
  if (/CERT|SIGNED|SIGNATURE|TLS|SSL/i.test(word)) {
    return new Problem(
      "unavailable",
      `the certificate of ${base} is not trusted (${word})`,
      "where an authority of your own has signed it, name its certificate with KEYBRAKE_CA_FILE",
    );
  }
  if (/ENOTFOUND|EAI_|DNS/i.test(word)) {
    return new Unreachable(`there is no host of the name in ${base}`, "check KEYBRAKE_URL");
  }
  if (/ConnectionRefused|ECONNREFUSED|FailedToOpenSocket|UNREACH/i.test(word)) {
    return new Unreachable(`nothing answers at ${base}`, "check KEYBRAKE_URL, and that `keybrake serve` runs there");
  }
  const otherwise = base.startsWith("http:") ? "; where the server has TLS, KEYBRAKE_URL begins with https://" : "";
  return new Unreachable(
    `the connection to ${base} broke (${word})`,
    `try again; where something was to be changed, look first whether it was${otherwise}`,
  );
}

function redirected(base: string, { status, headers }: Response): Problem {
  const to = headers.get("location") ?? "";
  const origin = URL.canParse(to, base) ? new URL(to, base).origin : "nowhere";
  return new Problem(
    "unavailable",
    `${base} answered with a redirect (${status}) to ${origin}; the token is not taken there`,
    "set KEYBRAKE_URL to the server's own address",
  );
}

function notOurs(base: string, asked: string, { status, headers }: Response): Problem {
  const type = headers.get("content-type") ?? "no content type";
  if (PASSING.includes(status)) {
    return new Unreachable(`something before ${base} answered ${status}`, "is `keybrake serve` running behind it?");
  }
  return new Problem(
    "unavailable",
    `${base} answered ${asked} with ${status} (${type}), and not as a Keybrake server does`,
    "KEYBRAKE_URL must be the address of the control API, with its path prefix where a proxy adds one",
  );
}

/** The server has taken the request for a call to a vendor: what it does not know as a path of its own is one. */
function agentsAddress(base: string, asked: string): Problem {
  return new Problem(
    "unavailable",
    `${base} took ${asked} for an agent's call`,
    "KEYBRAKE_URL must be the control API's address: that of --admin-listen where it is set, without a path unless a proxy adds one; or the server is of another version",
  );
}

function otherVersion(base: string, asked: string): Problem {
  return new Problem(
    "unavailable",
    `${base} does not know ${asked}: it is of another version than this command line (${VERSION})`,
    "use the same version on both sides; `curl URL/docs/json` shows the server's routes",
  );
}

function parsed(text: string): ErrorBody | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null ? (value as ErrorBody) : undefined;
  } catch {
    return undefined;
  }
}
