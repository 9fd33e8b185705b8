"""Vault keys for agent runs: issued for one run, capped by Keybrake, revoked at its end."""

from .cap_hit import CapHit, as_cap_hit, cap_hits
from .client import Keybrake
from .errors import ApiError, KeybrakeError, Misconfigured, Unreachable
from .key import VaultKey
from .run import Run, vault_key, with_vault_key

__all__ = [
    "ApiError",
    "CapHit",
    "Keybrake",
    "KeybrakeError",
    "Misconfigured",
    "Run",
    "Unreachable",
    "VaultKey",
    "as_cap_hit",
    "cap_hits",
    "vault_key",
    "with_vault_key",
]
