import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { type HttpApp, httpScenarios, retriedBySdk, serveOn } from "../../scripts/integrations/http-app.ts";

const APP: HttpApp = {
  prefix: "express-billing",
  serve: (world) => serveOn(world, () => ["node_modules/.bin/tsx", "server.ts"]),
};

export const check: IntegrationCheck = {
  stack: "Express",
  page: "express",
  ran: "runtime",
  install: (tools) => tools.npm(),
  version: (tools) => tools.says(["node", "-p", "require('express/package.json').version"]),
  scenarios: [...httpScenarios(APP), retriedBySdk(APP)],
};
