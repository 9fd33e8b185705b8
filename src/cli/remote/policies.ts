import type { ControlPlane, TemplateView } from "../../operate/control-plane.ts";
import { filterQuery, LONG_MS } from "./audit-filter.ts";
import { type RemoteClient, segment } from "./request.ts";

type PolicyVerbs = Pick<ControlPlane, "listTemplates" | "showTemplate" | "explain" | "replayPolicy" | "suggestPolicy">;

/** The server's templates, and what they would do or would have done. How far it is, is not told on the way. */
export function remotePolicies(client: RemoteClient): PolicyVerbs {
  return {
    listTemplates: async () => (await client.ask<{ policies: readonly TemplateView[] }>("GET", "/policies")).policies,
    showTemplate: (name) => client.ask("GET", `/policies/${segment(name)}`),
    explain: (request) => client.ask("POST", "/policies/explain", { body: request, isRepeatable: true }),
    replayPolicy: ({ onProgress: _, filter, ...request }) =>
      client.ask("POST", "/policies/replay", {
        body: { ...request, ...filterQuery(filter) },
        isRepeatable: true,
        timeoutMs: LONG_MS,
      }),
    suggestPolicy: ({ onProgress: _, ...request }) =>
      client.ask("POST", "/policies/suggest", { body: request, isRepeatable: true, timeoutMs: LONG_MS }),
  };
}
