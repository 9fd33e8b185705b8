import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { webScenarios } from "../../scripts/integrations/web-scenarios.ts";

const VERSION = "import importlib.metadata; print(importlib.metadata.version('django'))";

export const check: IntegrationCheck = {
  stack: "Django",
  page: "django",
  ran: "runtime",
  how: "runserver, and a job as a management command",
  install: (tools) => tools.python(),
  version: (tools) => tools.says([tools.bin("python"), "-c", VERSION]),
  scenarios: webScenarios({
    env: { DJANGO_SECRET_KEY: "no-secret-of-anybody" },
    serve: (world, port) => [world.bin("python"), "manage.py", "runserver", "--noreload", String(port)],
    job: async ({ world, env, run, customers, budgetUsd }) => {
      const command = [world.bin("python"), "manage.py", "bill", run, String(budgetUsd), ...customers];
      const { code, stderr } = await world.exec(command, { env, timeoutMs: 570_000 });
      if (code !== 1 || !stderr.includes("daily_usd_cap")) throw new Error(`the job exited ${code}: ${stderr}`);
    },
  }),
};
