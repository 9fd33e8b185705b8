/**
 * For platforms that cannot run here and whose file has programs of its own in it: those programs are run, and tried again
 * where the file's own rule says so.
 */
import type { Scenario } from "./check.ts";
import type { World } from "./world.ts";

/** How one try of the step that charges has ended. */
export interface Try {
  readonly outcome: "charged" | "capped" | "failed";
  /** What the file's rule has the platform do with it. */
  readonly isRepeated: boolean;
}

/** The file's steps for one run. */
export interface ScriptSteps {
  /** @returns the vault key. */
  readonly issue: () => Promise<string>;
  readonly charge: (key: string, customer: string) => Promise<Try>;
  /** What the file has the platform do at the end, also where the run has failed. */
  readonly revoke: () => Promise<unknown>;
  /** The label that the run gets. */
  readonly label: string;
  /** Of one item. */
  readonly triesMax: number;
}

const CHARGE_CENTS = 2999;
const CUSTOMERS = 12;
/** Of `CUSTOMERS`, under a cap of $150. */
const ADMITTED = 5;

/** What every such file has to hold. */
export function scriptScenarios(stepsOf: (world: World, run: string) => ScriptSteps): readonly Scenario[] {
  return [
    {
      title: "its steps, for twelve items at once, are stopped at exactly the run's cap, none is tried again for it",
      run: async (world) => {
        const steps = stepsOf(world, "41");
        const key = await steps.issue();
        const customers = Array.from({ length: CUSTOMERS }, (_, index) => `cus_${index}`);
        const outcomes = await Promise.all(customers.map((customer) => toItsEnd(steps, key, customer)));
        const refused = outcomes.filter((outcome) => outcome === "capped").length;
        if (refused !== CUSTOMERS - ADMITTED) throw new Error(`${refused} of ${CUSTOMERS} were cap hits`);
        await steps.revoke();
        await world.expectCapped({ label: steps.label, eachCents: CHARGE_CENTS, admitted: ADMITTED, refused });
        await world.expectRevoked(steps.label);
      },
    },
    {
      title: "a 503 is tried again by the file's own rule and charged once, and a repeated start issues no second key",
      run: async (world) => {
        const steps = stepsOf(world, "42");
        const key = await steps.issue();
        if (key !== (await steps.issue())) throw new Error("a second key was issued");
        world.stripe.failNext(1);
        const outcome = await toItsEnd(steps, key, "cus_1");
        if (outcome !== "charged") throw new Error(`it has ${outcome}`);
        world.expectCharged(1, CHARGE_CENTS);
        await steps.revoke();
        await world.expectRevoked(steps.label);
      },
    },
  ];
}

async function toItsEnd(steps: ScriptSteps, key: string, customer: string): Promise<Try["outcome"]> {
  for (let tries = 1; ; tries++) {
    const { outcome, isRepeated } = await steps.charge(key, customer);
    if (!isRepeated || tries === steps.triesMax) return outcome;
  }
}
