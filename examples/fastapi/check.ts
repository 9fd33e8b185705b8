import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { post, webScenarios } from "../../scripts/integrations/web-scenarios.ts";

const VERSION = "import importlib.metadata; print(importlib.metadata.version('fastapi'))";

export const check: IntegrationCheck = {
  stack: "FastAPI",
  page: "fastapi",
  ran: "runtime",
  how: "on uvicorn, with a background task",
  install: (tools) => tools.python(),
  version: (tools) => tools.says([tools.bin("python"), "-c", VERSION]),
  scenarios: webScenarios({
    serve: (world, port) => [world.bin("python"), "-m", "uvicorn", "app:app", "--port", String(port)],
    job: async ({ origin, run, customers, budgetUsd }) => {
      const answer = await post(`${origin}/jobs/${run}`, { customers, budget_usd: budgetUsd });
      if (answer.status !== 202) throw new Error(`the job was answered ${answer.status}: ${await answer.text()}`);
    },
  }),
};
