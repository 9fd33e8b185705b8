import type { IntegrationCheck } from "../../scripts/integrations/check.ts";

export const check: IntegrationCheck = {
  stack: "Ray",
  page: "ray",
  ran: "runtime",
  install: (tools) => tools.python(),
  version: (tools) => tools.says([tools.bin("python"), "-c", "import ray; print(ray.__version__)"]),
  scenarios: [
    {
      title: "a fan-out over workers is stopped at exactly its cap, and no task is retried for it",
      run: async (world) => {
        await world.succeeds([world.bin("python"), "fan_out.py", "--customers", "12", "--budget", "150"]);
        const label = await world.onlyLabel();
        await world.expectCapped({ label, eachCents: 2999, admitted: 5, refused: 7 });
        await world.expectRevoked(label);
      },
    },
  ],
};
