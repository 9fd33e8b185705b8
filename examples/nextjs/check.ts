import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { type HttpApp, httpScenarios, retriedBySdk, serveOn } from "../../scripts/integrations/http-app.ts";

const NEXT = ["env", "NEXT_TELEMETRY_DISABLED=1", "node_modules/.bin/next"];

const APP: HttpApp = {
  prefix: "nextjs-billing",
  serve: (world) => serveOn(world, (port) => [...NEXT, "start", "--hostname", "127.0.0.1", "--port", String(port)]),
};

export const check: IntegrationCheck = {
  stack: "Next.js",
  page: "nextjs",
  ran: "runtime",
  how: "a route handler, with next build and next start",
  install: async (tools) => {
    await tools.npm();
    await tools.install([...NEXT, "build"]);
  },
  version: (tools) => tools.says(["node", "-p", "require('next/package.json').version"]),
  scenarios: [...httpScenarios(APP), retriedBySdk(APP)],
};
