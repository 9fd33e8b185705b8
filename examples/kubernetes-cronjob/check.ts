import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import type { World } from "../../scripts/integrations/world.ts";
import { BINARY } from "../../test/harness/keybrake.ts";

interface Variable {
  readonly name: string;
  readonly value?: string;
}

interface JobSpec {
  readonly podFailurePolicy: {
    readonly rules: readonly {
      readonly action: string;
      readonly onExitCodes: { readonly operator: string; readonly values: number[] };
    }[];
  };
  readonly template: {
    readonly spec: { readonly containers: readonly { readonly command: string[]; readonly env: Variable[] }[] };
  };
}

const manifestIn = (folder: string) =>
  Bun.YAML.parse(readFileSync(join(folder, "cronjob.yaml"), "utf8")) as {
    readonly apiVersion: string;
    readonly spec: { readonly jobTemplate: { readonly spec: JobSpec } };
  };
const jobIn = (folder: string) => manifestIn(folder).spec.jobTemplate.spec;

/** The container's command and variables as kubelet would fill them in, with this machine's address and executable. */
function container({ folder, env }: World, job: string): { command: string[]; env: Record<string, string> } {
  const { command, env: variables } = jobIn(folder).template.spec.containers[0]!;
  const own = Object.fromEntries(variables.map(({ name, value = "" }) => [name, value]));
  const filled = {
    ...own,
    JOB_NAME: job,
    KEYBRAKE_URL: env["KEYBRAKE_URL"]!,
    KEYBRAKE_API_KEY: env["KEYBRAKE_API_KEY"]!,
  };
  return {
    command: command.map((part) => part.replace("/shared/keybrake", BINARY).replace("$(JOB_NAME)", job)),
    env: filled,
  };
}

export const check: IntegrationCheck = {
  stack: "Kubernetes CronJob",
  page: "kubernetes-cronjob",
  ran: "requests",
  how: "by its container's command, run here; the manifest is held to Kubernetes' schema by `./scripts/lint-deploy`",
  install: async (tools) => tools.says(["node", "--version"]),
  version: async ({ folder }) => manifestIn(folder).apiVersion,
  scenarios: [
    {
      title: "a job is stopped at exactly its cap, with the exit code for which Kubernetes starts no second Pod",
      run: async (world) => {
        const { command, env } = container(world, "billing-29123456");
        const { code, stderr } = await world.exec(command, { env });
        const { action, onExitCodes } = jobIn(world.folder).podFailurePolicy.rules[0]!;
        const isFinal = action === "FailJob" && onExitCodes.operator === "In" && onExitCodes.values.includes(code);
        if (!isFinal) throw new Error(`it exited with ${code}: ${stderr}`);
        const label = "cronjob/billing-29123456";
        await world.expectCapped({ label, eachCents: 2999, admitted: 5, refused: 1 });
        await world.expectRevoked(label);
      },
    },
    {
      title: "a Pod that is terminated revokes its key",
      run: async (world) => {
        const resume = world.stripe.pause();
        const { command, env } = container(world, "billing-29123457");
        const running = world.start(command, { env });
        await world.until("a charge at Stripe", () => world.stripe.calls.length > 0);
        await running.kill("SIGTERM");
        resume();
        await world.expectRevoked("cronjob/billing-29123457");
      },
    },
  ],
};
