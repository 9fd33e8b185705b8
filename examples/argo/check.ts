import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import type { Finished } from "../../scripts/integrations/processes.ts";
import { type ScriptSteps, scriptScenarios } from "../../scripts/integrations/script-steps.ts";
import type { World } from "../../scripts/integrations/world.ts";

interface Template {
  readonly name: string;
  readonly retryStrategy: { readonly limit: string; readonly expression?: string };
  readonly script: {
    readonly command: readonly string[];
    readonly source: string;
    readonly env: readonly { readonly name: string; readonly value?: string }[];
  };
}

interface Workflow {
  readonly apiVersion: string;
  readonly spec: { readonly onExit: string; readonly templates: readonly Template[] };
}

/** Exit code of a charge that a cap has refused. */
const STOPPED_BY_CAP = 75;
/** Hera has Argo's types; what they do not know is not written back. */
const HELD_TO_TYPES = `
import json, sys
from hera.workflows.models import Workflow
told = json.load(sys.stdin)
known = json.loads(Workflow.model_validate(told).model_dump_json(by_alias=True, exclude_none=True))
sys.exit(0 if known == told else f"Argo knows of it: {json.dumps(known)}")`;

const workflowIn = (folder: string) => Bun.YAML.parse(readFileSync(join(folder, "workflow.yaml"), "utf8")) as Workflow;

/** The rule of the file, which has the form `asInt(lastRetry.exitCode) != 75`. */
function isRepeated({ retryStrategy }: Template, code: number): boolean {
  const rule = /^asInt\(lastRetry\.exitCode\) != (\d+)$/.exec(retryStrategy.expression ?? "");
  if (!rule) throw new Error(`a rule that the check does not know: ${retryStrategy.expression}`);
  return code !== 0 && code !== Number(rule[1]);
}

function stepsOf(world: World, run: string): ScriptSteps {
  const { templates, onExit } = workflowIn(world.folder).spec;
  const template = (name: string) => templates.find((each) => each.name === name)!;
  const words: Record<string, string> = { "workflow.name": `billing-${run}` };
  /** The container, with this machine's address and token in place of the file's. */
  const start = ({ script }: Template, inputs: Readonly<Record<string, string>> = {}): Promise<Finished> => {
    const all = { ...words, ...inputs };
    const fill = (text: string) => text.replace(/\{\{(.+?)\}\}/g, (whole, word: string) => all[word] ?? whole);
    const own = Object.fromEntries(script.env.map(({ name, value = "" }) => [name, fill(value)]));
    const { KEYBRAKE_URL, KEYBRAKE_API_KEY } = world.env;
    const secret = "KEYBRAKE_API_KEY" in own ? { KEYBRAKE_API_KEY } : { KEYBRAKE_API_KEY: undefined };
    return world.exec([...script.command, "-c", script.source], { env: { ...own, KEYBRAKE_URL, ...secret } });
  };
  const succeeds = async (name: string) => {
    const { code, stdout, stderr } = await start(template(name));
    if (code !== 0) throw new Error(`${name} exited with ${code}: ${stderr}`);
    return stdout.trim();
  };
  const charge = template("charge");
  return {
    label: `argo-billing/billing-${run}`,
    triesMax: 1 + Number(charge.retryStrategy.limit),
    issue: () => succeeds("issue"),
    revoke: () => succeeds(onExit),
    charge: async (key, customer) => {
      const { code } = await start(charge, { "inputs.parameters.key": key, "inputs.parameters.customer": customer });
      const outcome = code === 0 ? "charged" : code === STOPPED_BY_CAP ? "capped" : "failed";
      return { outcome, isRepeated: isRepeated(charge, code) };
    },
  };
}

export const check: IntegrationCheck = {
  stack: "Argo Workflows",
  page: "argo",
  ran: "requests",
  how: "by the workflow's own scripts, run here; the manifest is held to Argo's types by Hera 7.1.0",
  install: async (tools) => {
    await tools.python();
    const stdin = JSON.stringify(workflowIn(tools.folder));
    await tools.install([tools.bin("python"), "-c", HELD_TO_TYPES], { stdin });
  },
  version: async ({ folder }) => workflowIn(folder).apiVersion,
  scenarios: scriptScenarios(stepsOf),
};
