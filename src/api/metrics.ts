import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { Problem } from "../core/problem.ts";
import { described } from "./described.ts";
import { type ApiSetting, ELYSIA } from "./setting.ts";

/** Of Prometheus's text format. */
const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** What Prometheus scrapes: docs/metrics.md. Everybody who asks within a second gets one and the same page. */
export function metricsController({ metrics }: ApiSetting) {
  return new Elysia(ELYSIA).get(
    "/metrics",
    async () => {
      const text = await metrics.text();
      if (text === undefined) throw new Problem("unavailable", "the metrics could not be read in time", "ask again");
      return new Response(text, { headers: { "content-type": CONTENT_TYPE } });
    },
    {
      detail: described({
        id: "readMetrics",
        summary: "Metrics in Prometheus's text format; with metrics.access: token for admin and auditor only",
        tag: "Health",
        answer: { content: { "text/plain": Type.String({ examples: ["keybrake_store_up 1\n"] }) } },
        fails: [401],
      }),
    },
  );
}
