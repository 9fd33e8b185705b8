import type { Scenario } from "./check.ts";
import { type Conversation, type ModelDouble, modest, STUBBORN, startModelDouble } from "./model-double.ts";
import type { World } from "./world.ts";

/** An example in Python whose agent charges customers $20 each, by a tool `charge_customer`. */
export interface AgentExample {
  /** The file, whose `run(label, budget_usd)` returns an `AgentReport`: "agent.py". */
  readonly file: string;
  /** `run` is a coroutine. */
  readonly isAsync?: boolean;
}

/** What a run says of itself. */
interface AgentReport {
  readonly label: string;
  readonly charged: number;
  readonly stopped_by: string | null;
}

const TOOL = "charge_customer";
const EACH_CENTS = 2000;
const BUDGET_USD = 100;
const ADMITTED = 5;
/** Frameworks take long to load where the machine has other work. */
const EXEC_MS_MAX = 570_000;

const STOPPED = "agent/stopped";
const TWICE = "agent/twice";
const BUSY = "agent/busy";
const INTERRUPTED = "agent/interrupted";

/** What every framework has to hold, with a model that does what an agent's model does at worst. */
export function agentScenarios(example: AgentExample): readonly Scenario[] {
  return [
    {
      title:
        "a model that charges on and on is stopped at exactly its cap and not asked again; what it asks for twice, or Stripe fails at for the moment, is charged once",
      run: (world) =>
        withModel([STUBBORN, modest(["cus_1", "cus_1"]), modest(["cus_1"], () => world.stripe.failNext(1))], (model) =>
          threeRuns(world, example, model),
        ),
      timeoutMs: EXEC_MS_MAX,
    },
    {
      title: "a run that is interrupted within a charge revokes its key",
      run: (world) => withModel([STUBBORN], (model) => interrupted(world, example, model)),
      timeoutMs: EXEC_MS_MAX,
    },
  ];
}

/** One process for three runs, as a worker would have them: loading a framework takes longer than all of them. */
async function threeRuns(world: World, example: AgentExample, model: ModelDouble): Promise<void> {
  const labels = [STOPPED, TWICE, BUSY];
  const name = example.file.replace(/\.py$/, "");
  const call = example.isAsync ? `asyncio.run(${name}.run(label, ${BUDGET_USD}))` : `${name}.run(label, ${BUDGET_USD})`;
  const program = `import asyncio, json, sys, ${name}\nfor label in sys.argv[1:]: print(json.dumps(${call}), flush=True)`;
  const { stdout } = await world.succeeds([world.bin("python"), "-c", program, ...labels], {
    env: model.env,
    timeoutMs: EXEC_MS_MAX,
  });
  const reports = stdout
    .split("\n")
    .filter((line) => line.startsWith('{"label"'))
    .map((line) => JSON.parse(line) as AgentReport);
  expectEqual("what the runs say", reports, [
    { label: STOPPED, charged: ADMITTED, stopped_by: "daily_usd_cap" },
    { label: TWICE, charged: 1, stopped_by: null },
    { label: BUSY, charged: 1, stopped_by: null },
  ]);
  expectEqual("turns of the model", model.turns, [ADMITTED + 1, 3, 2]);
  world.expectCharged(ADMITTED + 2, (ADMITTED + 2) * EACH_CENTS);
  await world.expectAudited({ label: STOPPED, eachCents: EACH_CENTS, admitted: ADMITTED, refused: 1 });
  // What the model asked for twice: answered from the record, at no cost.
  await world.expectAudited({ label: TWICE, eachCents: EACH_CENTS, admitted: 1, refused: 0, otherRows: 1 });
  // Beside the charge: the call that Stripe failed at, and the repeat that has found out.
  await world.expectAudited({ label: BUSY, eachCents: EACH_CENTS, admitted: 1, refused: 0, otherRows: 2 });
  for (const label of labels) await world.expectRevoked(label);
}

async function interrupted(world: World, { file }: AgentExample, model: ModelDouble): Promise<void> {
  const goOn = world.stripe.pause();
  const running = world.start([world.bin("python"), file, INTERRUPTED, String(BUDGET_USD)], { env: model.env });
  try {
    let isOver = false;
    void running.finished.then(() => {
      isOver = true;
    });
    await world.until("the first charge, or an end", () => isOver || world.stripe.calls.length > 0, EXEC_MS_MAX);
    // Ctrl-C, while the charge is under way.
    const ended = running.kill("SIGINT");
    goOn();
    await ended;
    // Not the exit code: some frameworks end the run as cancelled, and the program goes on from there.
    expectEqual("turns of the model", model.turns, [1]);
    await world.expectRevoked(INTERRUPTED);
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n${running.output()}`);
  }
}

async function withModel(
  conversations: readonly Conversation[],
  run: (model: ModelDouble) => Promise<void>,
): Promise<void> {
  const model = await startModelDouble(TOOL, conversations);
  try {
    await run(model);
  } finally {
    await model.stop();
  }
}

function expectEqual(what: string, found: unknown, expected: unknown): void {
  if (Bun.deepEquals(found, expected)) return;
  throw new Error(`${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
}
