import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { plainScenarios } from "../../scripts/integrations/plain-program.ts";

export const check: IntegrationCheck = {
  stack: "Hatchet",
  page: "hatchet",
  ran: "requests",
  how: "with the error class of its SDK, and tries counted by plain.ts",
  install: (tools) => tools.npm(),
  version: (tools) =>
    tools.says([
      "node",
      "-p",
      "JSON.parse(require('fs').readFileSync('node_modules/@hatchet-dev/typescript-sdk/package.json')).version",
    ]),
  scenarios: plainScenarios("hatchet-billing"),
};
