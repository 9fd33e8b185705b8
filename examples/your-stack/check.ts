import type { IntegrationCheck } from "../../scripts/integrations/check.ts";

export const check: IntegrationCheck = {
  stack: "Any other stack",
  page: "your-stack",
  ran: "runtime",
  how: "a shell script; the version is curl's",
  install: (tools) => tools.install(["bash", "-n", "billing.sh"]),
  version: async (tools) => (await tools.says(["curl", "--version"])).split(" ")[1] ?? "unknown",
  scenarios: [
    {
      title: "the three things stop a run at exactly its cap",
      run: async (world) => {
        const customers = Array.from({ length: 8 }, (_, index) => `cus_${index}`);
        const { stdout } = await world.succeeds(["./billing.sh", "shell-billing/01", ...customers]);
        if (!stdout.endsWith("stopped by the cap at cus_5\n")) throw new Error(stdout);
        await world.expectCapped({ label: "shell-billing/01", eachCents: 2999, admitted: 5, refused: 1 });
        await world.expectRevoked("shell-billing/01");
      },
    },
    {
      title: "a 503 is repeated with the same idempotency key, and charges once",
      run: async (world) => {
        world.stripe.failNext(1);
        await world.succeeds(["./billing.sh", "shell-billing/02", "cus_1"]);
        world.expectCharged(1, 2999);
        await world.expectRevoked("shell-billing/02");
      },
    },
    {
      title: "a run that fails revokes its key",
      run: async (world) => {
        world.stripe.failNext(3);
        const { code } = await world.exec(["./billing.sh", "shell-billing/03", "cus_1"]);
        if (code !== 1) throw new Error(`it exited with ${code}`);
        await world.expectRevoked("shell-billing/03");
      },
    },
  ],
};
