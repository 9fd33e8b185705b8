import type { SpendReportView, SpendRequest, SpendVerbs } from "../../operate/spend-verbs.ts";
import { LONG_MS } from "./audit-filter.ts";
import type { RemoteClient } from "./request.ts";

/** What was spent, by the server's own sums. How far they are, is not told on the way. */
export function remoteSpend(client: RemoteClient): SpendVerbs {
  return {
    spend: ({ onProgress: _, patienceMs: __, since, until, project, anomalies, ...request }: SpendRequest) =>
      client.ask<SpendReportView>("GET", "/spend", {
        query: { ...request, since: iso(since), until: iso(until), project: yes(project), anomalies: yes(anomalies) },
        timeoutMs: LONG_MS,
      }),
  };
}

function iso(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}

function yes(flag: boolean | undefined): true | undefined {
  return flag === true ? true : undefined;
}
