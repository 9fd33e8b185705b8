import { learnTime } from "./now.ts";

/** What the API said of a request that it refused, or what kept the request from it. */
export class ApiError extends Error {
  /** 0 where no answer came. */
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;

  constructor(status: number, code: string, message: string, hint: string | undefined) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

export interface Asked {
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

let onSignedOut: (why: string) => void = () => {};

/** Calls `told` when the API no longer knows who asks. */
export function whenSignedOut(told: (why: string) => void): void {
  onSignedOut = told;
}

/** The API's answer to one request. @throws ApiError for every other answer than a good one. */
export async function ask<Answer>(method: string, path: string, asked: Asked = {}): Promise<Answer> {
  const response = await send(method, path, asked);
  learnTime(response.headers.get("date"));
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as Answer;
}

/** The answer's own stream of bytes, for answers that last. @throws ApiError */
export async function openStream(
  path: string,
  signal: AbortSignal,
  lastEventId: string | undefined,
): Promise<ReadableStream<Uint8Array>> {
  const place = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
  const response = await send("GET", path, { signal, headers: { accept: "text/event-stream", ...place } });
  if (!response.ok) throw await refusal(response);
  return response.body!;
}

/** A path of the API with its query. */
export function pathWith(path: string, query: Asked["query"] = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

async function send(method: string, path: string, { query, body, headers, signal }: Asked): Promise<Response> {
  try {
    return await fetch(pathWith(path, query), {
      method,
      // Who asks is in the session's cookie, which no script can read.
      credentials: "same-origin",
      redirect: "error",
      cache: "no-store",
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, "unreachable", "Keybrake does not answer", "is `keybrake serve` running?");
  }
}

async function refusal(response: Response): Promise<ApiError> {
  const error = await errorOf(response);
  if (response.status === 401) onSignedOut(error.message);
  return new ApiError(response.status, error.code, error.message, error.hint);
}

interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

async function errorOf(response: Response): Promise<ErrorBody> {
  try {
    const { error } = (await response.json()) as { readonly error: ErrorBody };
    if (typeof error.message === "string") return error;
  } catch {
    // A proxy in between answers in its own words.
  }
  return { code: "internal", message: `the server answered ${response.status}`, hint: "see the server's log" };
}
