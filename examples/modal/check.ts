import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import type { World } from "../../scripts/integrations/world.ts";

const CENTS = 2999;
const here = (world: World, what: string) => world.succeeds([world.bin("python"), "on_this_machine.py", what]);
const stopsOf = (stdout: string) => stdout.split("\n").filter((line) => line.includes("stopped_by")).length;

export const check: IntegrationCheck = {
  stack: "Modal",
  page: "modal",
  ran: "runtime",
  how: "its functions and its class called with `.local()` in threads; `.map()`, retries and `@modal.exit` need Modal's cloud and were not run",
  install: (tools) => tools.python(),
  version: (tools) => tools.says([tools.bin("python"), "-c", "import modal; print(modal.__version__)"]),
  scenarios: [
    {
      title: "each of four invocations at once is stopped at its own cap, and revokes its own key",
      run: async (world) => {
        const { stdout } = await here(world, "invocations");
        if (stopsOf(stdout) !== 4) throw new Error(stdout);
        world.expectCharged(4, 4 * CENTS);
        for (const label of [0, 1, 2, 3].map((number) => `modal-billing/cus_${number}`)) {
          await world.expectAudited({ label, eachCents: CENTS, admitted: 1, refused: 1 });
          await world.expectRevoked(label);
        }
      },
    },
    {
      title: "a batch over threads is stopped at exactly its cap, with a vendor that is away for one call",
      run: async (world) => {
        world.stripe.failNext(1);
        const { stdout } = await here(world, "batch");
        if (stopsOf(stdout) !== 7) throw new Error(stdout);
        await world.expectCapped({ label: "modal-batch/b1", eachCents: CENTS, admitted: 5, refused: 7, otherRows: 2 });
        await world.expectRevoked("modal-batch/b1");
      },
    },
    {
      title: "an object of a class keeps one cap over the keys that it renews, from its enter hook to its end",
      run: async (world) => {
        const { stdout } = await here(world, "container");
        if (stopsOf(stdout) !== 2) throw new Error(stdout);
        await world.expectCapped({ label: "modal-container/c1", eachCents: CENTS, admitted: 3, refused: 2 });
        await world.expectRevoked("modal-container/c1");
        const keys = await world.keys("modal-container/c1");
        if (keys.length < 2) throw new Error("its key was not renewed");
      },
    },
  ],
};
