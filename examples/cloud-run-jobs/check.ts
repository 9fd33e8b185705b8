import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import type { World } from "../../scripts/integrations/world.ts";

interface Container {
  readonly command: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
}

interface Job {
  readonly apiVersion: string;
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly taskCount: number;
        readonly template: {
          readonly spec: { readonly maxRetries: number; readonly containers: readonly Container[] };
        };
      };
    };
  };
}

const jobIn = (folder: string) => Bun.YAML.parse(readFileSync(join(folder, "job.yaml"), "utf8")) as Job;

/** What `gcloud run jobs execute` has Cloud Run do: the job's tasks at once with their variables, and again where one fails. */
const GCLOUD = `#!/usr/bin/env bash
set -euo pipefail
for flag in "$@"; do
  case $flag in --update-env-vars=*) IFS=, read -ra variables <<<"\${flag#*=}" ;; esac
done
unset KEYBRAKE_API_KEY KEYBRAKE_URL
task() {
  for ((try = 0; try <= MAX_RETRIES; try++)); do
    env "\${variables[@]}" CLOUD_RUN_TASK_ATTEMPT=$try CLOUD_RUN_TASK_INDEX=$1 CLOUD_RUN_TASK_COUNT=$TASKS $COMMAND && return
  done
  return 1
}
pids=()
for ((index = 0; index < TASKS; index++)); do task $index & pids+=($!); done
status=0
for pid in "\${pids[@]}"; do wait "$pid" || status=1; done
exit $status
`;

/** The script's command, and a PATH on which `gcloud` is the one above. */
function start(world: World, run: string) {
  const bin = join(world.kept, "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "gcloud"), GCLOUD);
  chmodSync(join(bin, "gcloud"), 0o755);
  const { taskCount, template } = jobIn(world.folder).spec.template.spec;
  const { command, env } = template.spec.containers[0]!;
  const facts = { COMMAND: command.join(" "), TASKS: `${taskCount}`, MAX_RETRIES: `${template.spec.maxRetries}` };
  const own = Object.fromEntries(env.map(({ name, value }) => [name, value]));
  return {
    command: ["./start.sh", run],
    options: { env: { ...own, ...facts, PATH: `${bin}:${world.env["PATH"]}` } },
  };
}

export const check: IntegrationCheck = {
  stack: "Cloud Run jobs",
  page: "cloud-run-jobs",
  ran: "requests",
  how: "by the start script and the job's command, run here, with a stand-in for gcloud",
  install: (tools) => tools.install(["bash", "-n", "start.sh"]),
  version: async ({ folder }) => jobIn(folder).apiVersion,
  scenarios: [
    {
      title: "tasks that run at once are stopped at exactly their execution's cap, and none is tried again for it",
      run: async (world) => {
        const { command, options } = start(world, "01");
        await world.succeeds(command, options);
        const label = "cloud-run/01";
        const refused = (await world.audit(label)).filter((row) => row.policy_verdict === "cap_exceeded").length;
        // Each task stops at its first refusal; a task whose part was charged before that has none.
        if (refused < 1 || refused > 3) throw new Error(`${refused} calls of 3 tasks were refused`);
        await world.expectCapped({ label, eachCents: 2999, admitted: 5, refused });
        await world.expectRevoked(label);
      },
    },
    {
      title: "a task that fails is tried again, and every customer is charged at most once",
      run: async (world) => {
        world.stripe.failNext(1);
        const { command, options } = start(world, "02");
        await world.succeeds(command, options);
        const customers = world.stripe.charges.map(({ customer }) => customer);
        if (new Set(customers).size !== customers.length) throw new Error(`charged twice: ${customers.join(", ")}`);
        world.expectCharged(5, 5 * 2999);
        await world.expectRevoked("cloud-run/02");
      },
    },
    {
      title: "a start that is cancelled revokes the key before its tasks have ended",
      run: async (world) => {
        const resume = world.stripe.pause();
        const { command, options } = start(world, "03");
        const running = world.start(command, options);
        await world.until("a charge of each task", () => world.stripe.calls.length === 3);
        const { code } = await running.kill("SIGTERM");
        if (code !== 143) throw new Error(`it exited with ${code}: ${running.output()}`);
        await world.expectRevoked("cloud-run/03");
        resume();
      },
    },
  ],
};
