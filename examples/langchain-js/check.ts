import { agentScenarios } from "../../scripts/integrations/agent-program.ts";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";

export const check: IntegrationCheck = {
  stack: "LangChain.js",
  page: "langchain-js",
  ran: "runtime",
  how: "with its fake model",
  install: (tools) => tools.npm(),
  version: (tools) => tools.says(["node", "-p", "require('langchain/package.json').version"]),
  scenarios: agentScenarios({ prefix: "langchain-billing", atOnce: 1 }),
};
