/** Made from the OpenAPI document by scripts/client-shapes.ts: not edited by hand. */

export interface IssueKey {
  readonly vendor?: string;
  readonly description?: string;
  readonly daily_usd_cap?: number | string;
  readonly cap_window?: string;
  readonly total_usd_cap?: number | string;
  readonly daily_cap?: { readonly amount: number | string; readonly currency: string } | string;
  readonly total_cap?: { readonly amount: number | string; readonly currency: string } | string;
  readonly caps?:
    | {
        readonly charge?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
        readonly refund?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
        readonly payout?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
        readonly transfer?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
        readonly topup?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
        readonly credit?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
        readonly card?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
        readonly message?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
        readonly call?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
        readonly number?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
        readonly verification?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
        readonly lookup?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
        readonly email?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
        readonly other?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
      }
    | string;
  readonly max_amount_per_call_usd?: number | string;
  readonly on_unknown_cost?: { readonly reserve_usd: number | string } | string;
  readonly allowed_endpoints?: readonly string[] | string;
  readonly denied_endpoints?: readonly string[] | string;
  readonly parameters?: Readonly<
    Record<
      string,
      {
        readonly in?: readonly (string | number | boolean)[] | string;
        readonly not_in?: readonly (string | number | boolean)[] | string;
        readonly min?: number | string;
        readonly max?: number | string;
        readonly matches?: string;
        readonly prefix_in?: readonly (string | number | boolean)[] | string;
        readonly required?: boolean;
        readonly forbidden?: boolean;
      }
    >
  >;
  readonly customers?: readonly string[] | string;
  readonly merchants?: readonly string[] | string;
  readonly to_prefixes?: readonly string[] | string;
  readonly from_numbers?: readonly string[] | string;
  readonly from_domains?: readonly string[] | string;
  readonly to_domains?: readonly string[] | string;
  readonly daily_send_cap?: number | string;
  readonly max_write_operations?: number | string;
  readonly requests_per_minute?: number | string;
  readonly requests_per_hour?: number | string;
  readonly idempotency?: string;
  readonly dedup_window?: string | number;
  readonly allowed_currencies?: readonly string[] | string;
  readonly auto_revoke?:
    | {
        readonly cap_hits?: number | string;
        readonly vendor_errors?: number | string;
        readonly requests_over_baseline?: number | string;
        readonly within?: string;
      }
    | readonly {
        readonly cap_hits?: number | string;
        readonly vendor_errors?: number | string;
        readonly requests_over_baseline?: number | string;
        readonly within?: string;
      }[]
    | string;
  readonly expires_in?: string | number;
  readonly vendors?: Readonly<
    Record<
      string,
      {
        readonly daily_usd_cap?: number | string;
        readonly total_usd_cap?: number | string;
        readonly daily_cap?: { readonly amount: number | string; readonly currency: string } | string;
        readonly total_cap?: { readonly amount: number | string; readonly currency: string } | string;
        readonly caps?:
          | {
              readonly charge?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
              readonly refund?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
              readonly payout?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
              readonly transfer?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
              readonly topup?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
              readonly credit?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
              readonly card?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
              readonly message?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
              readonly call?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
              readonly number?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
              readonly verification?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
              readonly lookup?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
              readonly email?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
              readonly other?: { readonly daily_usd?: number | string; readonly total_usd?: number | string };
            }
          | string;
        readonly max_amount_per_call_usd?: number | string;
        readonly on_unknown_cost?: { readonly reserve_usd: number | string } | string;
        readonly allowed_endpoints?: readonly string[] | string;
        readonly denied_endpoints?: readonly string[] | string;
        readonly parameters?: Readonly<
          Record<
            string,
            {
              readonly in?: readonly (string | number | boolean)[] | string;
              readonly not_in?: readonly (string | number | boolean)[] | string;
              readonly min?: number | string;
              readonly max?: number | string;
              readonly matches?: string;
              readonly prefix_in?: readonly (string | number | boolean)[] | string;
              readonly required?: boolean;
              readonly forbidden?: boolean;
            }
          >
        >;
        readonly customers?: readonly string[] | string;
        readonly merchants?: readonly string[] | string;
        readonly to_prefixes?: readonly string[] | string;
        readonly from_numbers?: readonly string[] | string;
        readonly from_domains?: readonly string[] | string;
        readonly to_domains?: readonly string[] | string;
        readonly daily_send_cap?: number | string;
        readonly max_write_operations?: number | string;
        readonly requests_per_minute?: number | string;
        readonly requests_per_hour?: number | string;
        readonly idempotency?: string;
        readonly dedup_window?: string | number;
        readonly allowed_currencies?: readonly string[] | string;
      }
    >
  >;
  readonly daily_usd_cap_total?: number | string;
  readonly per_vendor_daily_caps?: Readonly<Record<string, number | string>> | string;
  readonly like?: string;
  readonly template?: string;
  readonly inputs?: Readonly<Record<string, string | readonly string[]>>;
  readonly agent_run_label?: string;
  readonly label?: string;
  readonly agent_name?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly unique_label?: boolean;
}

export interface IssuedVaultKey {
  readonly id: string;
  readonly key_id: string;
  readonly hint: string;
  readonly vendor: string | null;
  readonly vendors: readonly string[];
  readonly base_url: string | null;
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
  readonly vault_key: string;
  readonly token: string;
  readonly vault_key_alphanumeric: string;
  readonly agent_lines: readonly {
    readonly vendor: string;
    readonly language: string;
    readonly lines: readonly string[];
  }[];
  readonly environment: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}
