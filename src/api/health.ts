import { Elysia } from "elysia";
import { VERSION } from "../core/version.ts";
import { type ApiOptions, ELYSIA } from "./setting.ts";

/** Anyone may ask, and every look is a write to the disk: within this time the last answer serves. */
const READY_FOR_MS = 1000;

/** Whether the process lives, and whether it can do its work: whether a write reaches the disk. */
export function healthController({ store, clock }: ApiOptions) {
  let lookedMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> = Promise.resolve();
  const detail = (summary: string) => ({ summary, tags: ["Health"], security: [] });
  return new Elysia(ELYSIA)
    .get("/", () => ({ name: "keybrake", version: VERSION, docs: "/docs" }), { detail: { hide: true } })
    .get("/healthz", () => ({ status: "ok" }), { detail: detail("The process lives") })
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
      { detail: detail("A write reaches the disk; 503 with the reason where it does not") },
    );
}
