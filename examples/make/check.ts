import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { type AtCapHit, named, type PageRequest, requestScenarios } from "../../scripts/integrations/page-requests.ts";

interface Module {
  readonly version: number;
  readonly metadata: { readonly designer: { readonly name: string } };
  readonly parameters?: { readonly handleErrors?: boolean };
  /** Its error handler. */
  readonly onerror?: readonly { readonly module: string }[];
  readonly mapper?: {
    readonly url?: string;
    readonly method?: string;
    readonly headers?: readonly { readonly name: string; readonly value: string }[];
    readonly contentType?: string;
    readonly data?: string;
    readonly formDataFields?: readonly { readonly key: string; readonly value: string }[];
  };
}

const modulesIn = (folder: string) => {
  const { flow } = JSON.parse(readFileSync(join(folder, "billing.json"), "utf8")) as { flow: readonly Module[] };
  return flow.map((module) => ({ ...module, name: module.metadata.designer.name }));
};

/** The address and the token stand in the blueprint as they are typed into it; here they are this machine's. */
const ownOf = (text: string) =>
  text.replace("https://keybrake.example", "{{keybrake}}").replace("kb_issuer_…", "{{token}}");

function requestOf({ mapper = {} }: Module): PageRequest {
  const { url = "", method = "get", headers = [], contentType, data, formDataFields } = mapper;
  const own = Object.fromEntries(headers.map(({ name, value }) => [name, ownOf(value)]));
  const form = formDataFields && Object.fromEntries(formDataFields.map(({ key, value }) => [key, value]));
  const body = data ?? form;
  return {
    method: method.toUpperCase(),
    url: ownOf(url),
    headers: contentType === undefined ? own : { ...own, "Content-Type": contentType },
    ...(body === undefined ? {} : { body }),
  };
}

/** `handleErrors` is what Make calls "Evaluate all states as errors": a status of 429 then ends the scenario. */
function atCapHit(modules: readonly (Module & { readonly name: string })[]): AtCapHit {
  const { parameters, onerror = [], name } = named(modules, "Charge");
  const order = modules.map((module) => module.name);
  const goesOn = parameters?.handleErrors === false && order.indexOf(name) < order.indexOf("Revoke the key");
  return { isRepeated: !goesOn && onerror.some(({ module }) => module === "builtin:Break"), reachesRevoke: goesOn };
}

export const check: IntegrationCheck = {
  stack: "Make",
  page: "make",
  ran: "requests",
  install: async ({ folder }) => modulesIn(folder),
  version: async ({ folder }) => `HTTP module ${named(modulesIn(folder), "Charge").version}`,
  scenarios: requestScenarios(({ folder }) => {
    const modules = modulesIn(folder);
    return {
      issue: requestOf(named(modules, "Issue the key")),
      charge: requestOf(named(modules, "Charge")),
      revoke: requestOf(named(modules, "Revoke the key")),
      atCapHit: atCapHit(modules),
      syntax: /\{\{(.+?)\}\}/g,
      words: {
        keybrake: "keybrakeUrl",
        token: "controlToken",
        "1.run": "run",
        "3.value": "customer",
        "2.data.vault_key": "vaultKey",
        "2.data.id": "keyId",
      },
      labelOf: (run) => `make-billing/${run}`,
    };
  }),
};
