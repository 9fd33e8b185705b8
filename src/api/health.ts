import { Elysia } from "elysia";
import { VERSION } from "../core/version.ts";
import { HealthAnswer } from "./answers/operators.ts";
import { described } from "./described.ts";
import { type ApiOptions, ELYSIA } from "./setting.ts";

/** Anyone may ask, and every look is a write to the disk: within this time the last answer serves. */
const READY_FOR_MS = 1000;
const tag = "Health";

/** Whether the process lives, and whether it can do its work: whether a write reaches the disk. */
export function healthController({ store, clock }: ApiOptions) {
  let lookedMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> = Promise.resolve();
  return new Elysia(ELYSIA)
    .get("/", () => ({ name: "keybrake", version: VERSION, docs: "/docs" }), { detail: { hide: true } })
    .get("/healthz", () => ({ status: "ok" }), {
      detail: described({ id: "isAlive", summary: "The process lives", tag, answer: HealthAnswer }),
    })
    .get(
      "/readyz",
      async () => {
        if (clock.elapsed() - lookedMs >= READY_FOR_MS) {
          lookedMs = clock.elapsed();
          looking = store.probeWrite(clock.now());
        }
        await looking;
        return { status: "ready" };
      },
      {
        detail: described({
          id: "isReady",
          summary: "A write reaches the disk; 503 with the reason where it does not",
          tag,
          answer: HealthAnswer,
        }),
      },
    );
}
