import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import {
  type AtCapHit,
  named,
  type PageRequest,
  reaches,
  requestScenarios,
} from "../../scripts/integrations/page-requests.ts";

interface Step {
  readonly title: string;
  readonly method?: string;
  readonly url?: string;
  readonly headers?: string;
  readonly body?: {
    readonly type: string;
    readonly data: readonly { readonly key?: string; readonly value: string }[];
  };
  readonly retry_config?: { readonly retry_enabled: boolean };
  readonly error_strategy?: string;
  readonly error_handle_mode?: string;
}

interface Graph {
  readonly nodes: readonly { readonly id: string; readonly parentId?: string; readonly data: Step }[];
  readonly edges: readonly { readonly source: string; readonly target: string }[];
}

interface App {
  readonly version: string;
  readonly workflow: { readonly graph: Graph };
}

const appIn = (folder: string) => Bun.YAML.parse(readFileSync(join(folder, "billing.yml"), "utf8")) as App;
const stepsIn = (folder: string) =>
  appIn(folder).workflow.graph.nodes.map(({ data }) => ({ ...data, name: data.title }));

/** A line `name:value` for each header. */
const headersOf = (lines = "") =>
  Object.fromEntries(
    lines.split("\n").map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );

function requestOf({ method = "get", url = "", headers, body }: Step): PageRequest {
  const request = { method: method.toUpperCase(), url, headers: headersOf(headers) };
  if (body?.type === "json") return { ...request, body: body.data[0]!.value };
  if (body?.type !== "x-www-form-urlencoded") return request;
  return { ...request, body: Object.fromEntries(body.data.map(({ key, value }) => [key!, value])) };
}

/**
 * A status of 429 is a failure of Dify's HTTP Request node only where it has retries or an error strategy; a failure ends the
 * iteration, unless that goes on with errors. Behind the iteration's last node comes what follows the iteration.
 */
function atCapHit({ nodes, edges }: Graph): AtCapHit {
  const charge = nodes.find(({ data }) => data.title === "Charge");
  const revoke = nodes.find(({ data }) => data.title === "Revoke the key");
  const each = nodes.find(({ id }) => id === charge?.parentId);
  if (!charge || !revoke || !each) throw new Error("the workflow has no charge in an iteration, or does not revoke");
  const isRepeated = charge.data.retry_config?.retry_enabled === true;
  const fails = isRepeated || charge.data.error_strategy !== undefined;
  const next = (step: string) => edges.filter(({ source }) => source === step).map(({ target }) => target);
  const goesOn = !fails || each.data.error_handle_mode === "continue-on-error";
  return { isRepeated, reachesRevoke: goesOn && reaches(each.id, revoke.id, next) };
}

export const check: IntegrationCheck = {
  stack: "Dify",
  page: "dify",
  ran: "requests",
  install: async ({ folder }) => stepsIn(folder),
  version: async ({ folder }) => `DSL ${appIn(folder).version}`,
  scenarios: requestScenarios(({ folder }) => {
    const steps = stepsIn(folder);
    return {
      issue: requestOf(named(steps, "Issue the key")),
      charge: requestOf(named(steps, "Charge")),
      revoke: requestOf(named(steps, "Revoke the key")),
      atCapHit: atCapHit(appIn(folder).workflow.graph),
      syntax: /\{\{#(.+?)#\}\}/g,
      words: {
        "env.KEYBRAKE_URL": "keybrakeUrl",
        "env.KEYBRAKE_API_KEY": "controlToken",
        "sys.workflow_run_id": "run",
        "each.item": "customer",
        "key.vault_key": "vaultKey",
        "key.id": "keyId",
      },
      labelOf: (run) => `dify/${run}`,
    };
  }),
};
