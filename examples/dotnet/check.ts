import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import type { World } from "../../scripts/integrations/world.ts";

const program = ({ kept }: Pick<World, "kept">) => join(kept, "billing.exe");
const bill = (world: World, ...args: readonly string[]) => ["mono", program(world), ...args];

export const check: IntegrationCheck = {
  stack: ".NET",
  page: "dotnet",
  ran: "runtime",
  how: "compiled and run by Mono, the version is Mono's",
  install: (tools) =>
    tools.install(["mcs", "-r:System.Net.Http.dll", `-out:${program(tools)}`, "Program.cs", "VaultKey.cs"]),
  version: async (tools) => /version (\S+)/.exec(await tools.says(["mono", "--version"]))?.[1] ?? "unknown",
  scenarios: [
    {
      title: "parallel tasks are stopped at exactly their run's cap, and no refused call is repeated",
      run: async (world) => {
        const { stdout } = await world.succeeds(bill(world, "dotnet-billing/01"));
        if (stdout !== "charged 5, refused by the cap 7\n") throw new Error(stdout);
        await world.expectCapped({ label: "dotnet-billing/01", eachCents: 2999, admitted: 5, refused: 7 });
        await world.expectRevoked("dotnet-billing/01");
      },
    },
    {
      title: "a 503 is repeated with the same idempotency key, and charges once",
      run: async (world) => {
        world.stripe.failNext(1);
        await world.succeeds(bill(world, "dotnet-billing/02", "1"));
        world.expectCharged(1, 2999);
        await world.expectRevoked("dotnet-billing/02");
      },
    },
    {
      title: "a run that fails revokes its key",
      run: async (world) => {
        world.stripe.failNext(3);
        const { code } = await world.exec(bill(world, "dotnet-billing/03", "1"));
        if (code !== 1) throw new Error(`it exited with ${code}`);
        await world.expectRevoked("dotnet-billing/03");
      },
    },
  ],
};
