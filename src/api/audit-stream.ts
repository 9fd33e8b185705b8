import { Problem } from "../core/problem.ts";
import { AuditFollower } from "../operate/follow-audit.ts";
import type { AuditFilter } from "../store/store.ts";
import type { ApiSetting } from "./setting.ts";

const POLL_MS = 500;
/** Proxies close connections that say nothing for a minute; a client notices one that is dead. */
const HEARTBEAT_MS = 15_000;
/** For so long a token or session that has ended goes on getting rows. */
const STANDING_MS = 1_000;

/**
 * New audit rows as server-sent events (WHATWG HTML §9.2): `event: call`, the row as JSON. A call in flight comes when it is
 * held and again when its end is known. A comment goes out when nothing else has for 15 s. It ends when the token or session does.
 */
export async function streamAudit(setting: ApiSetting, filter: AuditFilter, request: Request): Promise<Response> {
  const { store, clock, gate, streamPollMs = POLL_MS } = setting;
  const follower = await AuditFollower.fromNow(store, filter);
  const encoder = new TextEncoder();
  const pause = new Pause();
  let cancelled = false;
  let saidMs = clock.elapsed();
  let lookedMs = saidMs;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoder.encode(": rows as they come\n\n")),
    pull: async (controller) => {
      const say = (text: string) => {
        saidMs = clock.elapsed();
        controller.enqueue(encoder.encode(text));
      };
      try {
        while (!cancelled) {
          if (clock.elapsed() - lookedMs >= STANDING_MS) {
            if (!(await gate.isStillGood(request))) return controller.close();
            lookedMs = clock.elapsed();
          }
          const rows = await follower.poll();
          if (cancelled) return;
          if (rows.length > 0) return say(rows.map((row) => event("call", row)).join(""));
          if (clock.elapsed() - saidMs >= HEARTBEAT_MS) return say(": still here\n\n");
          await pause.for(streamPollMs);
        }
      } catch (cause) {
        const message = cause instanceof Problem ? cause.message : "an internal error; the server's log says more";
        if (!(cause instanceof Problem)) setting.log.error("audit_stream_failed", { cause: String(cause) });
        say(event("problem", { message }));
        controller.close();
      }
    },
    cancel: () => {
      cancelled = true;
      pause.end();
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
}

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
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
