import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { named, type PageRequest, requestScenarios } from "../../scripts/integrations/page-requests.ts";

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
}

interface App {
  readonly version: string;
  readonly workflow: { readonly graph: { readonly nodes: readonly { readonly data: Step }[] } };
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

export const check: IntegrationCheck = {
  stack: "Dify",
  page: "dify",
  ran: "requests",
  install: async ({ folder }) => {
    if (named(stepsIn(folder), "Charge").retry_config?.retry_enabled !== false) throw new Error("charges are repeated");
  },
  version: async ({ folder }) => `DSL ${appIn(folder).version}`,
  scenarios: requestScenarios(({ folder }) => {
    const steps = stepsIn(folder);
    return {
      issue: requestOf(named(steps, "Issue the key")),
      charge: requestOf(named(steps, "Charge")),
      revoke: requestOf(named(steps, "Revoke the key")),
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
