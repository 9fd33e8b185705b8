import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { type AtCapHit, type PageRequest, requestScenarios } from "../../scripts/integrations/page-requests.ts";

interface Task {
  readonly id: string;
  readonly uri?: string;
  readonly method?: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly options?: { readonly allowedResponseCodes?: readonly number[] };
  readonly retry?: { readonly maxAttempts: number };
  readonly tasks?: readonly Task[];
}

/** What Keybrake answers a call that a cap refuses, and what a vendor answers that is not there for a moment. */
const CAP_HIT = 429;
const UNAVAILABLE = 503;

const flowIn = (folder: string) => {
  const text = readFileSync(join(folder, "billing.yml"), "utf8");
  return Bun.YAML.parse(text) as { readonly tasks: readonly Task[]; readonly finally: readonly Task[] };
};

function taskIn(folder: string, id: string): Task {
  const { tasks, finally: last } = flowIn(folder);
  const found = [...tasks, ...tasks.flatMap((task) => task.tasks ?? []), ...last].find((task) => task.id === id);
  if (!found) throw new Error(`the flow has no task "${id}"`);
  return found;
}

function requestOf({ uri = "", method = "GET", contentType, headers = {}, body }: Task): PageRequest {
  const all = contentType === undefined ? headers : { ...headers, "Content-Type": contentType };
  return { method, url: uri, headers: all, ...(body === undefined ? {} : { body }) };
}

/** An answer that is allowed is a success of the task; `retry` is for its failures. @throws Error */
function expectRepeats({ retry, options }: Task): void {
  const isAllowed = options?.allowedResponseCodes?.includes(UNAVAILABLE) ?? false;
  if (retry === undefined || isAllowed) throw new Error("a 503 would not be tried again");
}

/** Tasks of `finally` run whatever has failed; one of `tasks`, only where nothing has. */
function atCapHit(folder: string): AtCapHit {
  const { retry, options } = taskIn(folder, "charge");
  const fails = !options?.allowedResponseCodes?.includes(CAP_HIT);
  const isLast = flowIn(folder).finally.some(({ id }) => id === "revoke");
  return { isRepeated: fails && retry !== undefined, reachesRevoke: !fails || isLast };
}

export const check: IntegrationCheck = {
  stack: "Kestra",
  page: "kestra",
  ran: "requests",
  install: async ({ folder }) => expectRepeats(taskIn(folder, "charge")),
  version: async () => "core.http.Request",
  scenarios: requestScenarios(({ folder }) => ({
    issue: requestOf(taskIn(folder, "issue")),
    charge: requestOf(taskIn(folder, "charge")),
    revoke: requestOf(taskIn(folder, "revoke")),
    atCapHit: atCapHit(folder),
    syntax: /\{\{ (.+?) \}\}/g,
    words: {
      "envs.keybrake_url": "keybrakeUrl",
      "secret('KEYBRAKE_API_KEY')": "controlToken",
      "execution.id": "run",
      "taskrun.value": "customer",
      "fromJson(outputs.issue.body).vault_key": "vaultKey",
      "fromJson(outputs.issue.body).id": "keyId",
    },
    labelOf: (run) => `kestra-billing/${run}`,
  })),
};
