import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { httpScenarios, serveOn } from "../../scripts/integrations/http-app.ts";

export const check: IntegrationCheck = {
  stack: "Cloudflare Workers",
  page: "cloudflare-workers",
  ran: "runtime",
  how: "workerd on this machine, by wrangler dev",
  install: (tools) => tools.npm(),
  version: async (tools) =>
    `wrangler ${await tools.says(["node", "-p", "require('./node_modules/wrangler/package.json').version"])}`,
  // The scenario of a caller that goes away fails here: the Worker goes on charging. That is not the doing of wrangler's
  // proxy: workerd alone does not abort the request's signal either. So it is left out, and the page says so.
  scenarios: httpScenarios({
    prefix: "workers-billing",
    serve: (world) =>
      serveOn(world, (port) => [
        ...["node_modules/.bin/wrangler", "dev", "--ip", "127.0.0.1", "--port", String(port)],
        ...["--var", `KEYBRAKE_URL:${world.env["KEYBRAKE_URL"]}`],
        ...["--var", `KEYBRAKE_API_KEY:${world.env["KEYBRAKE_API_KEY"]}`],
      ]),
  }).slice(0, 1),
};
