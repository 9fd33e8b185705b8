import { Problem } from "../core/problem.ts";
import { AuditFollower } from "../operate/follow-audit.ts";
import type { AuditFilter } from "../store/store.ts";
import type { ApiSetting } from "./setting.ts";

const POLL_MS = 500;
/** Proxies close connections that say nothing for a minute; a client notices one that is dead. */
const HEARTBEAT_MS = 15_000;
/** For so long a token or session that has ended goes on getting rows. */
const STANDING_MS = 1_000;

/** What an EventSource waits before it comes again. */
const RETRY_MS = 2_000;

/** What is asked of a stream. */
export interface StreamRequest {
  readonly filter: AuditFilter;
  /** `Last-Event-ID`: where to go on. */
  readonly place: string | undefined;
  readonly request: Request;
}

/**
 * New audit rows as server-sent events (WHATWG HTML §9.2): `event: call`, the row as JSON. A call in flight comes when it is
 * held and again when its end is known. The last event of those that come together has the place as its id, so that a client
 * that comes back misses nothing. A comment goes out when nothing else has for 15 s. It ends when the token or session does,
 * and when the server stops. Nothing is read ahead of a slow client; the listener cuts one off that takes nothing.
 */
export async function streamAudit(setting: ApiSetting, { filter, place, request }: StreamRequest): Promise<Response> {
  const { store, clock, gate, streamPollMs = POLL_MS, stops } = setting;
  const follower = await (place === undefined
    ? AuditFollower.fromNow(store, filter)
    : AuditFollower.from(store, filter, place));
  const encoder = new TextEncoder();
  const pause = new Pause();
  let cancelled = false;
  const wake = () => pause.end();
  stops?.addEventListener("abort", wake);
  const end = (controller?: ReadableStreamDefaultController) => {
    stops?.removeEventListener("abort", wake);
    controller?.close();
  };
  let saidMs = clock.elapsed();
  let lookedMs = saidMs;
  const body = new ReadableStream<Uint8Array>({
    // With the place: a client that is cut off before the first row comes back to where it began.
    start: (controller) =>
      controller.enqueue(encoder.encode(`: rows as they come\nretry: ${RETRY_MS}\nid: ${follower.place}\n\n`)),
    pull: async (controller) => {
      const say = (text: string) => {
        saidMs = clock.elapsed();
        controller.enqueue(encoder.encode(text));
      };
      try {
        while (!cancelled && !stops?.aborted) {
          if (clock.elapsed() - lookedMs >= STANDING_MS) {
            if (!(await gate.isStillGood(request))) return end(controller);
            lookedMs = clock.elapsed();
          }
          const rows = await follower.poll();
          if (cancelled) return;
          if (rows.length > 0) return say(events(rows, follower.place));
          if (clock.elapsed() - saidMs >= HEARTBEAT_MS) return say(": still here\n\n");
          await pause.for(streamPollMs);
        }
        if (!cancelled) end(controller);
      } catch (cause) {
        const message = cause instanceof Problem ? cause.message : "an internal error; the server's log says more";
        if (!(cause instanceof Problem)) setting.log.error("audit_stream_failed", { cause: String(cause) });
        say(event("problem", { message }));
        end(controller);
      }
    },
    cancel: () => {
      cancelled = true;
      end();
      pause.end();
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
}

function events(rows: readonly object[], place: string): string {
  return rows.map((row, at) => event("call", row, at === rows.length - 1 ? place : undefined)).join("");
}

function event(name: string, data: unknown, id?: string): string {
  return `event: ${name}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** A wait that can be cut short, so that nothing is left running for a client that has gone. */
class Pause {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #done: (() => void) | undefined;

  for(durationMs: number): Promise<void> {
    return new Promise((done) => {
      this.#done = done;
      this.#timer = setTimeout(done, durationMs);
    });
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#done?.();
  }
}
