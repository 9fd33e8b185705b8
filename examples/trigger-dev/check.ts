import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { plainScenarios } from "../../scripts/integrations/plain-program.ts";

export const check: IntegrationCheck = {
  stack: "Trigger.dev",
  page: "trigger-dev",
  ran: "requests",
  how: "with the error class of its SDK, and tries counted by plain.ts",
  install: (tools) => tools.npm(),
  version: (tools) =>
    tools.says([
      "node",
      "-p",
      "JSON.parse(require('fs').readFileSync('node_modules/@trigger.dev/sdk/package.json')).version",
    ]),
  scenarios: plainScenarios("trigger-billing"),
};
