import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { ROOT } from "../../scripts/integrations/folders.ts";
import type { Finished } from "../../scripts/integrations/processes.ts";
import { type ScriptSteps, scriptScenarios } from "../../scripts/integrations/script-steps.ts";
import type { Tools } from "../../scripts/integrations/tools.ts";
import type { World } from "../../scripts/integrations/world.ts";

interface Step {
  readonly id: string;
  readonly retry?: { readonly constant: { readonly attempts: number } };
  readonly value: {
    readonly type: string;
    readonly language?: string;
    readonly content?: string;
    readonly input_transforms?: Readonly<Record<string, { readonly expr: string }>>;
    readonly modules?: readonly Step[];
  };
}

interface Flow {
  readonly value: { readonly modules: readonly Step[]; readonly failure_module: Step };
}

/** What a worker does with a script: `main` gets its inputs in the order of its parameters, and its result is written as JSON. */
const WORKER = `
const { content, inputs } = await Bun.stdin.json();
const file = process.env.TMPDIR + "/" + crypto.randomUUID() + ".ts";
await Bun.write(file, content);
const { main } = await import(file);
const names = /main\\(([^)]*)\\)/.exec(content)[1].split(",").map((one) => one.split(":")[0].trim());
console.log(JSON.stringify((await main(...names.map((name) => inputs[name]))) ?? null));`;

const flowIn = (folder: string) => Bun.YAML.parse(readFileSync(join(folder, "flow.yaml"), "utf8")) as Flow;

/** Windmill's own types of a flow, which know no field that it does not have. */
async function holdToTypes({ folder, install }: Tools): Promise<void> {
  const types = "./node_modules/windmill-utils-internal/dist/esm/gen/types.gen";
  const text = `import type { OpenFlow } from "${types}";\nexport const flow: OpenFlow = ${JSON.stringify(flowIn(folder))};\n`;
  writeFileSync(join(folder, "flow.ts"), text);
  const flags =
    "--ignoreConfig --noEmit --strict --skipLibCheck --module esnext --moduleResolution bundler --target esnext";
  await install([join(ROOT, "node_modules/.bin/tsc"), ...flags.split(" "), "flow.ts"]);
}

/** The step of this id, also of those within a loop. */
function stepOf(steps: readonly Step[], id: string): Step | undefined {
  for (const step of steps) {
    const found = step.id === id ? step : stepOf(step.value.modules ?? [], id);
    if (found) return found;
  }
  return undefined;
}

function stepsOf(world: World, run: string): ScriptSteps {
  const { modules, failure_module } = flowIn(world.folder).value;
  const words = {
    "flow_input.run": run,
    "variable('f/billing/keybrake_url')": world.env["KEYBRAKE_URL"],
    "variable('f/billing/keybrake_token')": world.env["KEYBRAKE_API_KEY"],
  };
  const start = ({ value }: Step, more: Readonly<Record<string, unknown>> = {}): Promise<Finished> => {
    const known: Readonly<Record<string, unknown>> = { ...words, ...more };
    const inputs = Object.entries(value.input_transforms ?? {}).map(([name, { expr }]) => {
      if (!(expr in known)) throw new Error(`the flow has an expression that the check does not know: ${expr}`);
      return [name, known[expr]];
    });
    const stdin = JSON.stringify({ content: value.content, inputs: Object.fromEntries(inputs) });
    return world.exec([process.execPath, "-e", WORKER], { stdin });
  };
  const succeeds = async (step: Step): Promise<unknown> => {
    const { code, stdout, stderr } = await start(step);
    if (code !== 0) throw new Error(`${step.id} exited with ${code}: ${stderr}`);
    return JSON.parse(stdout);
  };
  const charge = stepOf(modules, "charge")!;
  return {
    label: `windmill-billing/${run}`,
    triesMax: 1 + (charge.retry?.constant.attempts ?? 0),
    issue: async () => JSON.stringify(await succeeds(stepOf(modules, "issue")!)),
    // Both ends of the flow: well, and failed.
    revoke: async () => [await succeeds(stepOf(modules, "revoke")!), await succeeds(failure_module)],
    charge: async (key, customer) => {
      const more = { "results.issue": JSON.parse(key) as unknown, "flow_input.iter.value": customer };
      const { code, stdout } = await start(charge, more);
      if (code !== 0) return { outcome: "failed", isRepeated: true };
      return { outcome: "charged" in (JSON.parse(stdout) as object) ? "charged" : "capped", isRepeated: false };
    },
  };
}

export const check: IntegrationCheck = {
  stack: "Windmill",
  page: "windmill",
  ran: "requests",
  how: "by the flow's own scripts, run here by Bun; the flow is held to Windmill's own types, windmill-utils-internal 1.7.0",
  install: async (tools) => {
    await tools.npm();
    await holdToTypes(tools);
  },
  version: async (tools) => `OpenFlow, on Bun ${await tools.says([process.execPath, "--version"])}`,
  scenarios: scriptScenarios(stepsOf),
};
