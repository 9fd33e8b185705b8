import { Elysia } from "elysia";
import { VERSION } from "../core/version.ts";
import { HealthAnswer } from "./answers/operators.ts";
import { redirect, wantsPage } from "./dashboard.ts";
import { described } from "./described.ts";
import { type ApiOptions, ELYSIA } from "./setting.ts";

const NAME_CARD = { name: "keybrake", version: VERSION, dashboard: "/dashboard/", docs: "/docs" };
const tag = "Health";

/** Whether the process lives, and whether it can do its work: whether a write reaches the disk. */
export function healthController({ probe }: ApiOptions) {
  return new Elysia(ELYSIA)
    .get("/", ({ request }) => (wantsPage(request) ? redirect("dashboard/") : NAME_CARD), { detail: { hide: true } })
    .get("/healthz", () => ({ status: "ok" }), {
      detail: described({ id: "isAlive", summary: "The process lives", tag, answer: HealthAnswer }),
    })
    .get(
      "/readyz",
      async () => {
        await probe.assertWritable();
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
