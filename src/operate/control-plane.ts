import type { Secret } from "../core/secret.ts";
import type { AuditFilter } from "../store/store.ts";
import type { ControlRole } from "../vault/control-token.ts";
import type { AgentSnippet, Vendor } from "../vendors/vendor.ts";
import type { InstallationVerbs } from "./about.ts";
import type { AlertVerbs } from "./alert-verbs.ts";
import type { AuditChainVerbs, AuditTotalsView } from "./audit-chain-verbs.ts";
import type { AutoRevokeView } from "./auto-revoke-counts.ts";
import type { BrakeVerbs } from "./brake-verbs.ts";
import type { BudgetAboveView, BudgetVerbs, BudgetView } from "./budget-verbs.ts";
import type { ExplainRequest, ExplainView, PolicyTuningVerbs } from "./policy-verbs.ts";
import type { ResolveCallRequest, ResolvedCallView } from "./resolution.ts";
import type { SpendVerbs } from "./spend-verbs.ts";
import type { ListedVendorView } from "./vendor-health.ts";
import type { VendorOperationVerbs } from "./vendor-operations.ts";
import type { VendorPriceVerbs } from "./vendor-prices.ts";

/**
 * What operators and their programs can do. One interface with the field names of http.md: the API's controllers answer
 * with these objects, and the CLI prints them, so that `--json` and the API say the same. Every method throws `Problem`
 * for what the caller can mend.
 */
export interface ControlPlane
  extends AlertVerbs,
    AuditChainVerbs,
    BrakeVerbs,
    BudgetVerbs,
    InstallationVerbs,
    PolicyTuningVerbs,
    SpendVerbs,
    VendorOperationVerbs,
    VendorPriceVerbs {
  issueKey(request: IssueKeyRequest, actor: Actor): Promise<IssuedKeyView>;
  listKeys(filter: ListKeysRequest, actor: Actor): Promise<KeyPage>;
  showKey(id: string, actor: Actor): Promise<ShownKeyView>;
  updateKey(id: string, change: UpdateKeyRequest, actor: Actor): Promise<UpdatedKeyView>;
  /** In force for every process when it resolves; revoking again changes nothing and is no error. */
  revokeKeys(request: RevokeRequest, actor: Actor): Promise<RevokeView>;
  /** What a vault key may know of itself. */
  self(tokenHash: Uint8Array): Promise<SelfView>;

  listVendors(): Promise<readonly ListedVendorView[]>;
  /** Sets or rotates the secret; vault keys keep working with the new one from their next call on. */
  setVendor(name: string, settings: VendorSettings): Promise<VendorView>;
  removeVendor(name: string): Promise<{ name: string; removed: boolean }>;
  /** One cheap read with the real secret. */
  testVendor(name: string): Promise<VendorTestView>;

  issueToken(request: IssueTokenRequest): Promise<IssuedTokenView>;
  listTokens(): Promise<readonly TokenView[]>;
  revokeToken(id: string): Promise<{ id: string; revoked: boolean }>;

  queryAudit(filter: AuditFilter, page: AuditPageRequest): Promise<AuditPageView>;
  auditTotals(filter: AuditFilter): Promise<AuditTotalsView>;
  /** Says by hand what became of an unresolved call; `id` may be the beginning of its id. Once. */
  resolveCall(id: string, request: ResolveCallRequest, actor: Actor): Promise<ResolvedCallView>;

  listTemplates(): Promise<readonly TemplateView[]>;
  showTemplate(name: string): Promise<TemplateView>;
  explain(request: ExplainRequest): Promise<ExplainView>;
}

/** Who asks. The local CLI is an admin without an id. */
export interface Actor {
  readonly role: ControlRole;
  readonly tokenId: string | null;
  /** An issuer's templates; null where every template is allowed. */
  readonly templates: readonly string[] | null;
  /** An issuer's ceiling for `daily_usd_cap`, in micro-dollars; null where there is none. */
  readonly maxDailyMicros: bigint | null;
}

export const LOCAL_ADMIN: Actor = { role: "admin", tokenId: null, templates: null, maxDailyMicros: null };

/** Every policy field, or a template that the policy fields then only narrow. */
export interface IssueKeyRequest {
  /** The id of a key whose policy, template, label, agent and metadata the new one has, where the request has none of its own. */
  readonly like?: string;
  readonly template?: string;
  /** `--set` of the CLI: the template's inputs. */
  readonly inputs?: Readonly<Record<string, string | readonly string[]>>;
  readonly agent_run_label?: string;
  readonly agent_name?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly expires_in?: string | number;
  readonly unique_label?: boolean;
  /** Policy fields as in policy.md. */
  readonly policy: Readonly<Record<string, unknown>>;
}

export interface KeyView {
  readonly id: string;
  readonly key_id: string;
  /** To recognise the key by: `vault_key_…a1B2`. */
  readonly hint: string;
  /** Null where the key is for several vendors. */
  readonly vendor: string | null;
  /** All that the key is for, in the order of its policy. */
  readonly vendors: readonly string[];
  /** Null where the key is for several vendors: each has its own. */
  readonly base_url: string | null;
  /** By vendor. */
  readonly base_urls: Readonly<Record<string, string>>;
  readonly agent_run_label: string | null;
  readonly agent_name: string | null;
  readonly template: string | null;
  readonly status: "active" | "revoked" | "expired";
  readonly created_at: string;
  readonly expires_at: string;
  readonly revoked_at: string | null;
  readonly revoke_reason: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly policy: Readonly<Record<string, unknown>>;
  readonly spend: SpendView;
}

export interface ShownKeyView extends KeyView {
  /** Budgets above keys that its calls are charged to as well; null where `budgets.yaml` is broken and was never read sound. */
  readonly shared_budgets: readonly BudgetAboveView[] | null;
  /** The rules that revoke it by themselves, and how near they are. */
  readonly auto_revoke: readonly AutoRevokeView[];
}

export interface UpdatedKeyView extends KeyView {
  /** What is lawful in the change and hardly expected, in sentences: a cap of one kind that counts only from now on. */
  readonly warnings: readonly string[];
}

export interface SpendView {
  readonly settled_usd: string;
  readonly held_usd: string;
  readonly unresolved_usd: string;
  readonly calls: number;
  /** Of the calls, those that were not let through. */
  readonly refused: number;
  readonly budgets: readonly BudgetView[];
}

/** The one answer in which the vault key itself stands. */
export interface IssuedKeyView extends Omit<KeyView, "spend"> {
  readonly vault_key: string;
  readonly token: string;
  /** The same key in letters and digits only, for SDKs that take nothing else (twilio-go). */
  readonly vault_key_alphanumeric: string;
  /** What to change in the agent, per vendor and language. */
  readonly agent_lines: readonly (AgentSnippet & { readonly vendor: string })[];
  /** Variables that the vendors' SDKs read. */
  readonly environment: Readonly<Record<string, string>>;
  /** What is lawful in the policy and hardly meant, in sentences: no cap on what costs, nothing allowed. */
  readonly warnings: readonly string[];
}

export interface ListKeysRequest {
  readonly label?: string;
  readonly label_contains?: string;
  readonly vendor?: string;
  readonly active?: boolean;
  readonly cursor?: string;
  readonly limit?: number;
}

export interface KeyPage {
  readonly keys: readonly KeyView[];
  readonly next_cursor: string | null;
}

/** `expires_in` counts from now. Policy fields replace the key's; null removes one. */
export interface UpdateKeyRequest {
  readonly expires_in?: string | number;
  readonly policy: Readonly<Record<string, unknown>>;
}

export interface RevokeRequest {
  readonly ids?: readonly string[];
  readonly label?: string;
  readonly label_prefix?: string;
  readonly vendor?: string;
  readonly all?: boolean;
  readonly hard?: boolean;
  readonly reason?: string;
}

export interface RevokeView {
  /** Ids revoked by this request. */
  readonly revoked: readonly string[];
  /** Ids that were asked for by id and had been revoked before. */
  readonly already_revoked: readonly string[];
}

export interface SelfView {
  readonly key_id: string;
  /** As `KeyView` has it. */
  readonly vendor: string | null;
  readonly vendors: readonly string[];
  readonly agent_run_label: string | null;
  readonly status: "active" | "revoked" | "expired";
  readonly expires_at: string;
  readonly policy: Readonly<Record<string, unknown>>;
  readonly spend: SpendView;
  /** As `ShownKeyView` has them. */
  readonly shared_budgets: readonly BudgetAboveView[] | null;
  readonly auto_revoke: readonly AutoRevokeView[];
}

export interface VendorView {
  readonly name: string;
  readonly title: string;
  readonly configured: boolean;
  /** On which calls it honours an idempotency key. */
  readonly idempotency: Vendor["idempotency"];
  readonly account_id: string | null;
  readonly origin: string;
  readonly private: boolean;
  readonly version: number;
  readonly updated_at: string | null;
}

export interface VendorSettings {
  /** Undefined keeps the secret that is there (to change the origin alone). */
  readonly secret?: Secret;
  readonly account_id?: string;
  readonly username?: string;
  readonly origin?: string | null;
  readonly private?: boolean;
}

export interface VendorTestView {
  readonly name: string;
  readonly ok: boolean;
  readonly http_status: number | null;
  readonly message: string;
}

export interface IssueTokenRequest {
  readonly role: ControlRole;
  readonly name?: string;
  readonly templates?: readonly string[];
  readonly max_daily_usd?: string | number;
}

export interface TokenView {
  readonly id: string;
  readonly role: ControlRole;
  readonly name: string | null;
  readonly templates: readonly string[] | null;
  readonly max_daily_usd: string | null;
  readonly created_at: string;
  readonly revoked_at: string | null;
}

export interface IssuedTokenView extends TokenView {
  readonly token: string;
}

export interface AuditPageRequest {
  /** 1 to 10,000. */
  readonly limit: number;
  /** Opaque; from `older_cursor` or `newer_cursor`. */
  readonly before?: string;
  readonly after?: string;
}

/** One audit row with the names of audit.md; dollars are decimal strings, times ISO 8601, metadata an object. */
export type AuditRowView = Readonly<Record<string, unknown>> & { readonly id: string };

export interface AuditPageView {
  /** Newest last. */
  readonly rows: readonly AuditRowView[];
  readonly older_cursor: string | null;
  /** Pass as `after` to get what has come since. */
  readonly newer_cursor: string | null;
}

export interface TemplateView {
  readonly name: string;
  readonly description: string;
  /** Null where it is for several vendors. */
  readonly vendor: string | null;
  readonly vendors: readonly string[];
  readonly inputs: readonly { readonly name: string; readonly description: string; readonly required: boolean }[];
  readonly source: string;
}
