import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import type { World } from "../../scripts/integrations/world.ts";

const STRIPE_GO = "github.com/stripe/stripe-go/v85";
const bill = (world: World, label: string, ...flags: readonly string[]) => [
  join(world.kept, "billing"),
  `-label=${label}`,
  ...flags,
];

export const check: IntegrationCheck = {
  stack: "Go",
  page: "go",
  ran: "runtime",
  how: "with the official stripe-go 85.0.0",
  install: (tools) => tools.install(["go", "build", "-o", join(tools.kept, "billing"), "."]),
  version: async (tools) => {
    const told = await tools.says(["go", "version", "-m", join(tools.kept, "billing")]);
    if (!told.includes(`${STRIPE_GO}\tv85.0.0`)) throw new Error(`another stripe-go was built in: ${told}`);
    return /: go(\S+)/.exec(told)?.[1] ?? told;
  },
  scenarios: [
    {
      title: "goroutines are stopped at exactly their run's cap, and stripe-go repeats no refused call",
      run: async (world) => {
        const { stdout } = await world.succeeds(bill(world, "go-billing/01"));
        if (stdout !== "charged 5, refused by the cap 7\n") throw new Error(stdout);
        await world.expectCapped({ label: "go-billing/01", eachCents: 2999, admitted: 5, refused: 7 });
        await world.expectRevoked("go-billing/01");
      },
    },
    {
      title: "a run that is ended by a signal revokes its key",
      run: async (world) => {
        const resume = world.stripe.pause();
        const running = world.start(bill(world, "go-billing/03"));
        await world.until("a charge at Stripe", () => world.stripe.calls.length > 0);
        const { code } = await running.kill("SIGTERM");
        resume();
        if (code !== 1) throw new Error(`it exited with ${code}: ${running.output()}`);
        await world.expectRevoked("go-billing/03");
      },
    },
  ],
};
