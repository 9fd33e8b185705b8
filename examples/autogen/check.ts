import { agentScenarios } from "../../scripts/integrations/agent-scenarios.ts";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";

const VERSION = "import importlib.metadata; print(importlib.metadata.version('autogen-agentchat'))";

export const check: IntegrationCheck = {
  stack: "AutoGen",
  page: "autogen",
  ran: "runtime",
  how: "its model a double on loopback",
  install: (tools) => tools.python(),
  version: (tools) => tools.says([tools.bin("python"), "-c", VERSION]),
  scenarios: agentScenarios({ file: "team.py", isAsync: true }),
};
