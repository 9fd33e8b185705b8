import type { AuditFilter } from "../store/store.ts";
import type { AutoRevokeView } from "./auto-revoke-counts.ts";
import type { BudgetView } from "./budget-verbs.ts";

/** Tuning policies by what was recorded. */
export interface PolicyTuningVerbs {
  /** Which recorded calls a template would have refused, and the dollars. Changes nothing. */
  replayPolicy(request: ReplayRequest): Promise<ReplayView>;
  /** The tightest template that would have allowed what a run did. @throws Problem `not_found` for a run without calls. */
  suggestPolicy(request: SuggestRequest): Promise<SuggestView>;
}

/** A call that is not made, under a template or the policy of a key. */
export interface ExplainRequest {
  readonly template?: string;
  readonly inputs?: Readonly<Record<string, string | readonly string[]>>;
  /** Or the policy of a key that has been issued, with what is left of its caps. */
  readonly key_id?: string;
  /** The run label that a key of the template would have: budgets above keys and brakes go by it. */
  readonly label?: string;
  readonly method: string;
  readonly path: string;
  /** Form text, or JSON where it begins with `{` or `[`. */
  readonly body?: string;
}

/** A budget before a call that is explained, and after it. */
export interface ExplainBudgetView extends BudgetView {
  /** Of a budget above keys, which of its caps this is: `daily_usd_cap`. Of the key's own as `budget`. */
  readonly cap_field: string;
  /** As `remaining`, once the call holds what it can cost at most; null where it is refused, and where that is looked up. */
  readonly remaining_after: string | null;
}

/** Where the rule stands that decided: in a template's file, or in the policy that a key was issued with. */
export type RulePlace =
  | { readonly file: string; readonly line: number; readonly column: number; readonly key_id: null }
  | { readonly file: null; readonly line: null; readonly column: null; readonly key_id: string };

export interface ExplainView {
  readonly verdict: string;
  readonly status: number;
  /** The one that the call is for. */
  readonly vendor: string;
  readonly rule: string;
  /** Null for what no policy decides: the vendor's own declaration, a brake, a default. */
  readonly rule_place: RulePlace | null;
  readonly message: string;
  readonly operation: string | null;
  /** What the operation is to Keybrake (`priced`, `look_up`, `free`, …) and what its money is (`refund`). */
  readonly class: string | null;
  readonly kind: string | null;
  /** Null where it would be looked up. */
  readonly exposure_usd: string | null;
  /** What the vendor would be asked first: `GET /v1/charges/ch_1`. */
  readonly looks_up: readonly string[];
  /** The most that one call may cost; it decides after a look-up, too. */
  readonly max_amount_per_call_usd: string | null;
  readonly budgets: readonly ExplainBudgetView[];
  /** The rules that revoke the key by themselves; they decide on no single call. */
  readonly auto_revoke: readonly AutoRevokeView[];
}

export interface ReplayRequest {
  /** A template's name, or the text of one that is not in the directory yet. */
  readonly template?: string;
  readonly source?: { readonly file_name: string; readonly text: string };
  readonly inputs?: Readonly<Record<string, string | readonly string[]>>;
  readonly filter: Pick<AuditFilter, "since" | "until" | "run" | "keyId">;
  readonly onProgress?: (rows: number) => void;
}

/** Calls and their dollars: what they did cost, or may have cost where that is not known (yet). Decimal text. */
export interface CallsView {
  readonly calls: number;
  readonly usd: string;
}

/** What one rule of the template would have refused. */
export interface RefusedByView extends CallsView {
  readonly verdict: string;
  /** Of the calls that it would have refused. */
  readonly vendor: string;
  readonly rule: string;
  readonly rule_place: RulePlace | null;
  readonly first_called_at: string;
  readonly first_call_id: string;
  /** Of the first call. */
  readonly message: string;
}

export interface ReplayView {
  readonly template: string;
  /** Null where the template is for several vendors. */
  readonly vendor: string | null;
  readonly vendors: readonly string[];
  /** Of the calls that were sent when they were recorded. */
  readonly first_called_at: string | null;
  readonly last_called_at: string | null;
  readonly allowed: CallsView;
  readonly refused: CallsView;
  /** By the calls that each would have refused, most first. */
  readonly rules: readonly RefusedByView[];
  /** The ten with the most refused calls. */
  readonly endpoints: readonly (CallsView & { readonly endpoint: string })[];
  /**
   * Calls that were refused when they were made: what they would have cost is not known, so that they count in no cap.
   * `would_pass` breaks none of the template's rules, as far as those can be checked.
   */
  readonly refused_then: { readonly calls: number; readonly would_pass: number };
  /** The template's fields that the audit does not have what is needed to check for. */
  readonly not_checked: readonly string[];
}

export interface SuggestRequest {
  readonly run: string;
  /** Only of the calls to this one, where the run called several. */
  readonly vendor?: string;
  /** Per cent on top of what was used, from 0. */
  readonly margin_percent: number;
  readonly onProgress?: (rows: number) => void;
}

export interface SuggestView {
  readonly run: string;
  /** Null where the template is for several vendors. */
  readonly vendor: string | null;
  readonly vendors: readonly string[];
  readonly calls: number;
  /** YAML, with comments that say what each field is based on. */
  readonly source: string;
}
