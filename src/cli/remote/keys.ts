import { randomUUID } from "node:crypto";
import type { SharedBudgetView } from "../../operate/budget-verbs.ts";
import type { ControlPlane, IssuedKeyView, RevokeView } from "../../operate/control-plane.ts";
import { type RemoteClient, segment } from "./request.ts";

type KeyVerbs = Pick<
  ControlPlane,
  "issueKey" | "listKeys" | "showKey" | "updateKey" | "revokeKeys" | "listSharedBudgets"
>;

/** What one request may name (src/api/key-requests.ts). */
const IDS_MAX = 1_000;

/** Vault keys, and the budgets above them. */
export function remoteKeys(client: RemoteClient): KeyVerbs {
  return {
    issueKey: ({ policy, ...request }) =>
      client.ask<IssuedKeyView>("POST", "/vault/keys", {
        body: { ...policy, ...request },
        // So that a request whose answer was lost is asked again, and gets the same key.
        headers: { "idempotency-key": randomUUID() },
        isRepeatable: true,
      }),
    listKeys: (filter) => client.ask("GET", "/vault/keys", { query: { ...filter } }),
    showKey: (id) => client.ask("GET", `/vault/keys/${segment(id)}`),
    updateKey: (id, { expires_in, policy }) =>
      client.ask("PATCH", `/vault/keys/${segment(id)}`, {
        body: { ...policy, ...(expires_in === undefined ? {} : { expires_in }) },
        isRepeatable: true,
      }),
    revokeKeys: async ({ ids, ...request }) => {
      const pages = ids === undefined ? [{}] : pagesOf(ids).map((page) => ({ ids: page }));
      const views: RevokeView[] = [];
      for (const page of pages) {
        const body = { ...request, ...page };
        views.push(await client.ask<RevokeView>("POST", "/vault/keys/revoke", { body, isRepeatable: true }));
      }
      return {
        revoked: views.flatMap(({ revoked }) => revoked),
        already_revoked: views.flatMap(({ already_revoked }) => already_revoked),
      };
    },
    listSharedBudgets: async (filter) => {
      const page = await client.ask<{ shared: readonly SharedBudgetView[] }>("GET", "/budgets", {
        query: { ...filter, limit: 1 },
      });
      return page.shared;
    },
  };
}

function pagesOf(ids: readonly string[]): readonly (readonly string[])[] {
  const count = Math.max(1, Math.ceil(ids.length / IDS_MAX));
  return Array.from({ length: count }, (_, page) => ids.slice(page * IDS_MAX, (page + 1) * IDS_MAX));
}
