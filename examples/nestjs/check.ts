import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { httpScenarios, serveOn } from "../../scripts/integrations/http-app.ts";

export const check: IntegrationCheck = {
  stack: "NestJS",
  page: "nestjs",
  ran: "runtime",
  install: (tools) => tools.npm(),
  version: (tools) => tools.says(["node", "-p", "require('./node_modules/@nestjs/core/package.json').version"]),
  scenarios: httpScenarios({
    prefix: "nestjs-billing",
    serve: (world) => serveOn(world, () => ["node_modules/.bin/tsx", "main.ts"]),
  }),
};
