import type { Environment } from "../config.ts";
import type { AlertNews } from "../core/alert-event.ts";
import type { AlertTarget } from "../core/alert-target.ts";
import type { Clock } from "../core/clock.ts";
import { Problem } from "../core/problem.ts";
import { readSecret } from "../operate/alert-secret.ts";
import { type Message, slackMessage, webhookMessage } from "./message.ts";

const TIMEOUT_MS = 10_000;

export interface PostOptions {
  readonly clock: Pick<Clock, "now">;
  readonly environment: Environment;
  /** False where the host of the URL leads to an address that is not on the public internet. */
  readonly isPublic: (url: string) => Promise<boolean>;
  /** For tests; 10 s. */
  readonly timeoutMs?: number;
  /** Ends a try: of a process that stops. */
  readonly stopping?: AbortSignal;
}

/** What came of one try; `problem` never holds a URL or anything that the receiver said. */
export interface PostResult {
  readonly httpStatus: number | null;
  /** Null where the receiver took it. */
  readonly problem: string | null;
}

/** Sends one event to one target, once. Never throws; takes at most the time-out. */
export async function postAlert(options: PostOptions, target: AlertTarget, news: AlertNews): Promise<PostResult> {
  try {
    const url = await reachableUrl(options, target);
    return await send(options, url, messageFor(options, target, news));
  } catch (cause) {
    return { httpStatus: null, problem: problemText(cause, options.timeoutMs ?? TIMEOUT_MS) };
  }
}

async function send(options: PostOptions, url: string, { headers, body }: Message): Promise<PostResult> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
  const response = await fetch(url, {
    method: "POST",
    headers: { "user-agent": "keybrake", ...headers },
    body,
    // A redirect would take what the operator is told to wherever it points.
    redirect: "manual",
    signal: options.stopping ? AbortSignal.any([timeout, options.stopping]) : timeout,
  });
  const { status: httpStatus } = response;
  // The status says it all; an answer without end is not read. That it cannot be cancelled changes nothing.
  await response.body?.cancel().catch(() => undefined);
  if (httpStatus >= 200 && httpStatus < 300) return { httpStatus, problem: null };
  const isRedirect = httpStatus >= 300 && httpStatus < 400;
  return {
    httpStatus,
    problem: isRedirect ? "answered with a redirect, which is not followed" : `answered ${httpStatus}`,
  };
}

function messageFor({ clock, environment }: PostOptions, target: AlertTarget, news: AlertNews): Message {
  if (target.type === "slack") return slackMessage(news);
  return webhookMessage(news, readSecret(target.secret, environment), clock.now());
}

/** @throws Problem where the URL must not be asked. */
async function reachableUrl({ environment, isPublic }: PostOptions, target: AlertTarget): Promise<string> {
  const url = typeof target.url === "string" ? target.url : readSecret(target.url, environment).reveal();
  refuseUrl(url, target.isPrivate);
  if (target.isPrivate || (await isPublic(url))) return url;
  throw new Problem(
    "forbidden",
    "its host is not on the public internet",
    "set `private: true` for the target where it is meant to be inside",
  );
}

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** @throws Problem where the URL is not https, or http to this machine with `private: true`; it does not hold the URL. */
export function refuseUrl(text: string, isPrivate: boolean): void {
  const url = URL.parse(text);
  const hint = "an https:// URL without user and password; http:// only to loopback, with `private: true`";
  const isPlain = url !== null && url.username === "" && url.password === "";
  if (!isPlain) throw new Problem("invalid", "its URL cannot be used", hint);
  if (url.protocol === "https:") return;
  if (url.protocol === "http:" && isPrivate && LOOPBACK_HOST.test(url.hostname)) return;
  throw new Problem("invalid", "its URL is not https", hint);
}

function problemText(cause: unknown, timeoutMs: number): string {
  if (cause instanceof Problem) return cause.message;
  if (cause instanceof DOMException && cause.name === "TimeoutError") return `no answer within ${timeoutMs / 1000} s`;
  const { code } = cause as { code?: unknown };
  return typeof code === "string" ? `cannot be reached: ${code}` : "cannot be reached";
}
