import { agentScenarios } from "../../scripts/integrations/agent-program.ts";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";

export const check: IntegrationCheck = {
  stack: "Vercel AI SDK",
  page: "vercel-ai-sdk",
  ran: "runtime",
  how: "with its mock model",
  install: (tools) => tools.npm(),
  version: (tools) => tools.says(["node", "-p", "require('ai/package.json').version"]),
  scenarios: agentScenarios({ prefix: "ai-sdk-billing", atOnce: 2 }),
};
