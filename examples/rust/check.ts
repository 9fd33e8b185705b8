import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import type { World } from "../../scripts/integrations/world.ts";

const bill = ({ kept }: Pick<World, "kept">, ...args: readonly string[]) => [
  join(kept, "target/debug/billing"),
  ...args,
];

export const check: IntegrationCheck = {
  stack: "Rust",
  page: "rust",
  ran: "runtime",
  how: "with ureq as its HTTP client",
  install: (tools) => tools.install(["cargo", "build", "--quiet", "--target-dir", join(tools.kept, "target")]),
  version: async (tools) => (await tools.says(["rustc", "--version"])).split(" ")[1] ?? "unknown",
  scenarios: [
    {
      title: "threads are stopped at exactly their run's cap, and no refused call is repeated",
      run: async (world) => {
        const { stdout } = await world.succeeds(bill(world, "rust-billing/01"));
        if (stdout !== "charged 5, refused by the cap 7\n") throw new Error(stdout);
        await world.expectCapped({ label: "rust-billing/01", eachCents: 2999, admitted: 5, refused: 7 });
        await world.expectRevoked("rust-billing/01");
      },
    },
    {
      title: "a 503 is repeated after Retry-After, with the same idempotency key, and charges once",
      run: async (world) => {
        world.stripe.failNext(1);
        await world.succeeds(bill(world, "rust-billing/02", "1"));
        world.expectCharged(1, 2999);
        const keys = world.stripe.calls.map(({ headers }) => headers["idempotency-key"]);
        if (keys.length !== 2 || keys[0] !== keys[1]) throw new Error(`asked with ${keys.join(" and ")}`);
        await world.expectRevoked("rust-billing/02");
      },
    },
    {
      title: "a run that fails revokes its key",
      run: async (world) => {
        world.stripe.failNext(3);
        const { code } = await world.exec(bill(world, "rust-billing/03", "1"));
        if (code === 0) throw new Error("it did not fail");
        await world.expectRevoked("rust-billing/03");
      },
    },
  ],
};
