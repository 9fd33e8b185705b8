"""Made from the OpenAPI document by scripts/client-shapes.ts: not edited by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict


class IssueKey(TypedDict, total=False):
    vendor: str
    description: str
    daily_usd_cap: float | str
    cap_window: str
    total_usd_cap: float | str
    daily_cap: Mapping[str, object] | str
    total_cap: Mapping[str, object] | str
    caps: Mapping[str, object] | str
    max_amount_per_call_usd: float | str
    on_unknown_cost: Mapping[str, object] | str
    allowed_endpoints: Sequence[str] | str
    denied_endpoints: Sequence[str] | str
    parameters: Mapping[str, Mapping[str, object]]
    customers: Sequence[str] | str
    merchants: Sequence[str] | str
    to_prefixes: Sequence[str] | str
    from_numbers: Sequence[str] | str
    from_domains: Sequence[str] | str
    to_domains: Sequence[str] | str
    daily_send_cap: int | str
    max_write_operations: int | str
    requests_per_minute: int | str
    requests_per_hour: int | str
    idempotency: str
    dedup_window: str | int
    allowed_currencies: Sequence[str] | str
    auto_revoke: Mapping[str, object] | Sequence[Mapping[str, object]] | str
    expires_in: str | int
    vendors: Mapping[str, Mapping[str, object]]
    daily_usd_cap_total: float | str
    per_vendor_daily_caps: Mapping[str, float | str] | str
    like: str
    template: str
    inputs: Mapping[str, str | Sequence[str]]
    agent_run_label: str
    label: str
    agent_name: str
    metadata: Mapping[str, str]
    unique_label: bool


class IssuedVaultKey(TypedDict):
    id: str
    key_id: str
    hint: str
    vendor: str | None
    vendors: Sequence[str]
    base_url: str | None
    base_urls: Mapping[str, str]
    agent_run_label: str | None
    agent_name: str | None
    template: str | None
    status: Literal["active", "revoked", "expired"]
    created_at: str
    expires_at: str
    revoked_at: str | None
    revoke_reason: str | None
    metadata: Mapping[str, str]
    policy: Mapping[str, object]
    vault_key: str
    token: str
    vault_key_alphanumeric: str
    agent_lines: Sequence[Mapping[str, object]]
    environment: Mapping[str, str]
    warnings: Sequence[str]
