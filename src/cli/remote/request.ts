import { Problem } from "../../core/problem.ts";
import { VERSION } from "../../core/version.ts";
import type { RemoteAddress } from "./address.ts";
import { answeredProblem, transportProblem, Unreachable } from "./failure.ts";

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Asking {
  readonly query?: Query;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Until the answer is there; 30 s. */
  readonly timeoutMs?: number;
  /** The same request twice does no more than once: it is asked again where the connection broke. */
  readonly isRepeatable?: boolean;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

const TIMEOUT_MS = 30_000;
/** Between the pieces of an answer that comes in pieces. */
const SILENCE_MS = 120_000;

/** Asks one server's control API. The one place of the command line that sends the token. */
export class RemoteClient {
  readonly base: string;
  readonly #address: RemoteAddress;

  constructor(address: RemoteAddress) {
    this.base = address.base;
    this.#address = address;
  }

  /** The answer's JSON. @throws Problem as the server said it, `Unreachable` where it said nothing. */
  async ask<Answer>(method: Method, path: string, asking: Asking = {}): Promise<Answer> {
    const { isRepeatable = method === "GET" } = asking;
    try {
      return await this.#askOnce<Answer>(method, path, asking);
    } catch (cause) {
      // A server that was started anew has closed the connections that were kept.
      if (!(cause instanceof Broken) || !isRepeatable) throw cause;
      return this.#askOnce<Answer>(method, path, asking);
    }
  }

  /** The lines of an answer, as they come; no more of it than a piece is in memory. */
  async *lines(path: string, query: Query): AsyncGenerator<string> {
    const silence = new Silence();
    try {
      const response = await this.#send("GET", path, { query }, silence.signal);
      if (!response.ok) {
        throw answeredProblem(this.base, `GET ${path}`, response, await this.#textOf(response, silence.signal));
      }
      yield* this.#linesOf(response, silence);
    } finally {
      silence.end();
    }
  }

  async *#linesOf(response: Response, silence: Silence): AsyncGenerator<string> {
    const decoder = new TextDecoder();
    let rest = "";
    try {
      for await (const chunk of response.body ?? []) {
        silence.restart();
        const parts = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split("\n");
        rest = parts.pop()!;
        yield* parts;
      }
    } catch (cause) {
      throw this.#problemOf(silence.signal.aborted ? silence.signal.reason : cause, SILENCE_MS);
    }
    if (rest !== "") yield rest;
  }

  async #askOnce<Answer>(method: Method, path: string, asking: Asking): Promise<Answer> {
    const { timeoutMs = TIMEOUT_MS } = asking;
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await this.#send(method, path, asking, signal, timeoutMs);
    const text = await this.#textOf(response, signal, timeoutMs);
    const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
    if (!response.ok || !isJson) throw answeredProblem(this.base, `${method} ${path}`, response, text);
    return JSON.parse(text) as Answer;
  }

  async #send(
    method: Method,
    path: string,
    { query = {}, body, headers = {} }: Asking,
    signal: AbortSignal,
    timeoutMs = SILENCE_MS,
  ): Promise<Response> {
    const { token, ca, isPlain } = this.#address;
    const init = {
      method,
      headers: {
        authorization: `Bearer ${token.reveal()}`,
        accept: "application/json",
        "user-agent": `keybrake/${VERSION}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // The token stays with the server that the operator has named.
      redirect: "manual",
      // Over TLS Bun uses HTTPS_PROXY, less NO_PROXY, and the proxy sees a name; in clear it would see the token.
      ...(isPlain ? { proxy: false } : {}),
      tls: { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) },
      // Bun's own, of five minutes, is shorter than a check of ten million rows.
      timeout: false,
      signal,
    };
    try {
      return await fetch(`${this.base}${path}${queryText(query)}`, init as RequestInit);
    } catch (cause) {
      throw this.#problemOf(cause, timeoutMs);
    }
  }

  async #textOf(response: Response, signal: AbortSignal, timeoutMs = SILENCE_MS): Promise<string> {
    try {
      return await response.text();
    } catch (cause) {
      throw this.#problemOf(signal.aborted ? signal.reason : cause, timeoutMs);
    }
  }

  #problemOf(cause: unknown, timeoutMs: number): Problem {
    const problem = transportProblem(this.base, cause, timeoutMs);
    const isBroken = problem instanceof Unreachable && (cause as { name?: string }).name !== "TimeoutError";
    return isBroken ? new Broken(problem.message, problem.hint) : problem;
  }
}

/** No answer came, and no time ran out. */
class Broken extends Unreachable {}

/** Ends a request that says nothing for too long. */
class Silence {
  readonly #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.restart();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  restart(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#abort.abort(new DOMException("silent", "TimeoutError")), SILENCE_MS);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }
}

function queryText(query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  const text = given.toString();
  return text === "" ? "" : `?${text}`;
}

/** A name or id as a segment of a path. @throws Problem where it would be another path. */
export function segment(text: string): string {
  if (!/^\.{0,2}$/.test(text)) return encodeURIComponent(text);
  throw new Problem("usage", `${JSON.stringify(text)} is no id and no name`, "`--help` shows an example");
}
