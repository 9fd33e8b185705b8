import type { Scenario } from "./check.ts";

const COMMAND = ["node_modules/.bin/tsx", "stuck.ts"];

const TIMEOUT_MS = 600_000;

/**
 * An example whose `stuck.ts RUN BUDGET` is an agent with a fake model that asks for charges of $20 and never ends. At a
 * SIGTERM it cancels its run and then writes "cancelled".
 */
export interface AgentProgram {
  /** Before `/` and the run in its keys' labels. */
  readonly prefix: string;
  /** How many charges the model asks for in one step. */
  readonly atOnce: 1 | 2;
}

/** What each such example promises. */
export function agentScenarios({ prefix, atOnce }: AgentProgram): readonly Scenario[] {
  return [
    {
      timeoutMs: TIMEOUT_MS,
      title: "a model that never ends is stopped at exactly its cap, and is not asked again",
      run: async (world) => {
        const { stdout } = await world.succeeds([...COMMAND, "41", "50"], { timeoutMs: TIMEOUT_MS });
        const told = JSON.parse(stdout) as { readonly charged: readonly string[]; readonly stoppedBy?: string };
        if (told.charged.length !== 2 || told.stoppedBy !== "daily_usd_cap") throw new Error(`it said ${stdout}`);
        const label = `${prefix}/41`;
        await world.expectCapped({ label, eachCents: 2000, admitted: 2, refused: atOnce });
        await world.expectRevoked(label);
      },
    },
    {
      timeoutMs: TIMEOUT_MS,
      title: "a run that is cancelled makes no further charge, and its key is revoked",
      run: async (world) => {
        const resume = world.stripe.pause();
        const agent = world.start([...COMMAND, "42", "500"]);
        await world.until("the first step's charges", () => world.stripe.calls.length === atOnce, TIMEOUT_MS);
        process.kill(agent.pid, "SIGTERM");
        await world.until("the cancel", () => agent.output().includes("cancelled"), TIMEOUT_MS);
        const label = `${prefix}/42`;
        resume();
        await agent.finished;
        world.expectCharged(atOnce, atOnce * 2000);
        await world.expectRevoked(label);
      },
    },
  ];
}
