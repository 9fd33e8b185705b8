import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { named, type PageRequest, requestScenarios } from "../../scripts/integrations/page-requests.ts";

interface Parameters {
  readonly parameters: readonly { readonly name: string; readonly value: string }[];
}

interface Node {
  readonly name: string;
  readonly typeVersion: number;
  readonly retryOnFail?: boolean;
  readonly parameters: {
    readonly method?: string;
    readonly url?: string;
    readonly headerParameters?: Parameters;
    readonly bodyParameters?: Parameters;
    readonly jsonBody?: string;
  };
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

const nodesIn = (folder: string) =>
  (JSON.parse(readFileSync(join(folder, "billing.json"), "utf8")) as { nodes: readonly Node[] }).nodes;

export const check: IntegrationCheck = {
  stack: "n8n",
  page: "n8n",
  ran: "requests",
  install: async ({ folder }) => {
    if (named(nodesIn(folder), "Charge").retryOnFail !== false) throw new Error("the charge would be repeated");
  },
  version: async ({ folder }) => `HTTP Request node ${named(nodesIn(folder), "Charge").typeVersion}`,
  scenarios: requestScenarios(({ folder }) => {
    const nodes = nodesIn(folder);
    return {
      issue: requestOf(named(nodes, "Issue the key")),
      charge: requestOf(named(nodes, "Charge")),
      revoke: requestOf(named(nodes, "Revoke the key")),
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
