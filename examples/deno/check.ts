import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { httpScenarios, serveOn } from "../../scripts/integrations/http-app.ts";

const DENO = "node_modules/.bin/deno";

export const check: IntegrationCheck = {
  stack: "Deno",
  page: "deno",
  ran: "runtime",
  install: (tools) => tools.npm(),
  version: async (tools) => /^deno (\S+)/.exec(await tools.says([DENO, "--version"]))?.[1] ?? "unknown",
  scenarios: httpScenarios({
    prefix: "deno-billing",
    serve: (world) =>
      serveOn(world, () => [DENO, "run", "--no-prompt", "--allow-net=127.0.0.1", "--allow-env", "server.ts"]),
  }),
};
