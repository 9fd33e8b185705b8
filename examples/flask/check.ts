import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { webScenarios } from "../../scripts/integrations/web-scenarios.ts";

const VERSION = "import importlib.metadata; print(importlib.metadata.version('flask'))";

export const check: IntegrationCheck = {
  stack: "Flask",
  page: "flask",
  ran: "runtime",
  how: "flask run, and a job as a flask command",
  install: (tools) => tools.python(),
  version: (tools) => tools.says([tools.bin("python"), "-c", VERSION]),
  scenarios: webScenarios({
    serve: (world, port) => [world.bin("python"), "-m", "flask", "run", "--port", String(port)],
    job: async ({ world, run, customers, budgetUsd }) => {
      const command = [world.bin("python"), "-m", "flask", "bill", run, String(budgetUsd), ...customers];
      const { code, stderr } = await world.exec(command, { timeoutMs: 570_000 });
      if (code !== 1 || !stderr.includes("daily_usd_cap")) throw new Error(`the job exited ${code}: ${stderr}`);
    },
  }),
};
