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

interface Parameters {
  readonly parameters: readonly { readonly name: string; readonly value: string }[];
}

interface Node {
  readonly name: string;
  readonly typeVersion: number;
  readonly retryOnFail?: boolean;
  readonly onError?: string;
  readonly parameters: {
    readonly method?: string;
    readonly url?: string;
    readonly headerParameters?: Parameters;
    readonly bodyParameters?: Parameters;
    readonly jsonBody?: string;
    readonly options?: { readonly response?: { readonly response?: { readonly neverError?: boolean } } };
  };
}

interface Workflow {
  readonly nodes: readonly Node[];
  /** By node: those behind each of its outputs. The first output is the one of what went well. */
  readonly connections: Readonly<Record<string, { readonly main: readonly (readonly { readonly node: string }[])[] }>>;
}

/** A value that begins with = is an expression; the sign is not sent. */
const textOf = (value = "") => value.replace(/^=/, "");
const fieldsOf = (fields: Parameters | undefined) =>
  Object.fromEntries((fields?.parameters ?? []).map(({ name, value }) => [name, textOf(value)]));

function requestOf({ parameters }: Node): PageRequest {
  const { method = "GET", url, headerParameters, bodyParameters, jsonBody } = parameters;
  const body = jsonBody === undefined ? bodyParameters && fieldsOf(bodyParameters) : textOf(jsonBody);
  return { method, url: textOf(url), headers: fieldsOf(headerParameters), ...(body === undefined ? {} : { body }) };
}

const workflowIn = (folder: string) => JSON.parse(readFileSync(join(folder, "billing.json"), "utf8")) as Workflow;
const nodesIn = (folder: string) => workflowIn(folder).nodes;

/** A status of 429 is a failure of the node where `neverError` is off, and a failure ends the workflow without `onError`. */
function atCapHit({ nodes, connections }: Workflow): AtCapHit {
  const { onError, retryOnFail = false, parameters } = named(nodes, "Charge");
  const goesOn = parameters.options?.response?.response?.neverError === true || onError === "continueRegularOutput";
  const next = (name: string) => connections[name]?.main[0]?.map(({ node }) => node) ?? [];
  return { isRepeated: retryOnFail, reachesRevoke: goesOn && reaches("Charge", "Revoke the key", next) };
}

export const check: IntegrationCheck = {
  stack: "n8n",
  page: "n8n",
  ran: "requests",
  install: async ({ folder }) => nodesIn(folder),
  version: async ({ folder }) => `HTTP Request node ${named(nodesIn(folder), "Charge").typeVersion}`,
  scenarios: requestScenarios(({ folder }) => {
    const nodes = nodesIn(folder);
    return {
      issue: requestOf(named(nodes, "Issue the key")),
      charge: requestOf(named(nodes, "Charge")),
      revoke: requestOf(named(nodes, "Revoke the key")),
      atCapHit: atCapHit(workflowIn(folder)),
      syntax: /\{\{ (.+?) \}\}/g,
      words: {
        "$env.KEYBRAKE_URL": "keybrakeUrl",
        "$env.KEYBRAKE_API_KEY": "controlToken",
        "$execution.id": "run",
        "$json.customer": "customer",
        "$('Issue the key').first().json.vault_key": "vaultKey",
        "$('Issue the key').first().json.id": "keyId",
      },
      labelOf: (run) => `n8n-billing/${run}`,
    };
  }),
};
