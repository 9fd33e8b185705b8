import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import type { World } from "../../scripts/integrations/world.ts";

const EACH_CENTS = 2000;
const BUDGET_USD = "100";
const ADMITTED = 5;
/** LangGraph takes long to load where the machine has other work. */
const MS_MAX = 570_000;
const VERSION = "import importlib.metadata; print(importlib.metadata.version('langgraph'))";

function command(world: World, file: string, label: string, customers: number): readonly string[] {
  return [world.bin("python"), file, label, BUDGET_USD, ...Array.from({ length: customers }, (_, n) => `cus_${n}`)];
}

async function report(world: World, file: string, label: string, customers: number): Promise<string> {
  return (await world.succeeds(command(world, file, label, customers), { timeoutMs: MS_MAX })).stdout.trim();
}

function expectSaid(said: string, expected: Readonly<Record<string, unknown>>): void {
  if (!Bun.deepEquals(JSON.parse(said), expected))
    throw new Error(`expected ${JSON.stringify(expected)}, found ${said}`);
}

export const check: IntegrationCheck = {
  stack: "LangGraph",
  page: "langgraph",
  ran: "runtime",
  install: (tools) => tools.python(),
  version: (tools) => tools.says([tools.bin("python"), "-c", VERSION]),
  scenarios: [
    {
      title: "a node with a retry policy is repeated where Stripe fails for the moment, and not where the cap is hit",
      timeoutMs: MS_MAX,
      run: async (world) => {
        const label = "langgraph/loop";
        world.stripe.failNext(1);
        const said = await report(world, "loop.py", label, 12);
        expectSaid(said, { label, charged: ADMITTED, stopped_by: "daily_usd_cap" });
        world.expectCharged(ADMITTED, ADMITTED * EACH_CENTS);
        // Beside the charges: the call that Stripe failed at, and the repeat that has found out.
        await world.expectAudited({ label, eachCents: EACH_CENTS, admitted: ADMITTED, refused: 1, otherRows: 2 });
        await world.expectRevoked(label);
      },
    },
    {
      title: "a fan-out over branches is stopped at exactly its cap, and each branch is refused once",
      timeoutMs: MS_MAX,
      run: async (world) => {
        const label = "langgraph/fan-out";
        const said = await report(world, "fan_out.py", label, 12);
        expectSaid(said, { label, charged: ADMITTED, refused: 7 });
        await world.expectCapped({ label, eachCents: EACH_CENTS, admitted: ADMITTED, refused: 7 });
        await world.expectRevoked(label);
      },
    },
    {
      title: "a run that is interrupted within a charge revokes its key",
      timeoutMs: MS_MAX,
      run: async (world) => {
        const goOn = world.stripe.pause();
        const running = world.start(command(world, "loop.py", "langgraph/interrupted", 12));
        await world.until("the first charge at the vendor", () => world.stripe.calls.length > 0, MS_MAX);
        const ended = running.kill("SIGINT");
        goOn();
        const { code } = await ended;
        if (code === 0) throw new Error(`the run went on to its end: ${running.output()}`);
        await world.expectRevoked("langgraph/interrupted");
      },
    },
  ],
};
