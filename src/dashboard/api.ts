import type { AuditTotalsView } from "../operate/audit-chain-verbs.ts";
import type { BrakeRequest, BrakeView } from "../operate/brake-verbs.ts";
import type { BudgetView, SharedBudgetView } from "../operate/budget-verbs.ts";
import type {
  AuditPageView,
  IssuedKeyView,
  KeyPage,
  RevokeView,
  ShownKeyView,
  TemplateView,
  VendorTestView,
} from "../operate/control-plane.ts";
import type { ResolveCallRequest, ResolvedCallView } from "../operate/resolution.ts";
import type { ListedVendorView } from "../operate/vendor-health.ts";
import { type Asked, ask } from "./client.ts";

type Query = NonNullable<Asked["query"]>;

/** A budget of one key as `/budgets` has it. */
export interface KeyBudgetView extends BudgetView {
  readonly key_id: string;
  readonly agent_run_label: string | null;
}

export interface BudgetPage {
  readonly shared: readonly SharedBudgetView[];
  readonly budgets: readonly KeyBudgetView[];
  readonly next_cursor: string | null;
}

/** The requests that the page makes, each with the answer that the API's own types say. */
export const api = {
  keys: (query: Query, signal: AbortSignal) => ask<KeyPage>("GET", "/vault/keys", { query, signal }),
  key: (id: string, signal: AbortSignal) =>
    ask<ShownKeyView>("GET", `/vault/keys/${encodeURIComponent(id)}`, { signal }),
  issueKey: (body: object, idempotencyKey: string) =>
    ask<IssuedKeyView>("POST", "/vault/keys", { body, headers: { "idempotency-key": idempotencyKey } }),
  revokeKey: (id: string) =>
    ask<RevokeView>("DELETE", `/vault/keys/${encodeURIComponent(id)}`, {
      query: { reason: "revoked on the dashboard" },
    }),

  calls: (query: Query, signal: AbortSignal) => ask<AuditPageView>("GET", "/audit", { query, signal }),
  totals: (query: Query, signal: AbortSignal) => ask<AuditTotalsView>("GET", "/audit/totals", { query, signal }),
  resolve: (callId: string, body: ResolveCallRequest) =>
    ask<ResolvedCallView>("POST", `/audit/${encodeURIComponent(callId)}/resolve`, { body }),

  budgets: (query: Query, signal: AbortSignal) => ask<BudgetPage>("GET", "/budgets", { query, signal }),

  vendors: (signal: AbortSignal) =>
    ask<{ readonly vendors: readonly ListedVendorView[] }>("GET", "/vendors", { signal }),
  testVendor: (name: string) => ask<VendorTestView>("POST", `/vendors/${encodeURIComponent(name)}/test`),

  brakes: (signal: AbortSignal) => ask<{ readonly brakes: readonly BrakeView[] }>("GET", "/brake", { signal }),
  engage: (body: BrakeRequest) => ask<BrakeView>("POST", "/brake", { body }),
  release: (body: Pick<BrakeRequest, "vendor" | "label_prefix">) =>
    ask<{ readonly released: readonly BrakeView[] }>("DELETE", "/brake", { body }),

  templates: (signal: AbortSignal) =>
    ask<{ readonly policies: readonly TemplateView[] }>("GET", "/policies", { signal }),
} as const;
