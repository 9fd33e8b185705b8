"""What can go wrong between this process and Keybrake's control API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class KeybrakeError(Exception):
    """The parent of all errors of this package."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message if hint is None else f"{message} ({hint})")
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        # Queues and clusters pickle exceptions; Exception's own way would lose the fields.
        return (type(self), (self.message, self.hint))


class Misconfigured(KeybrakeError):
    """The address or the token is missing, or must not be used as it stands."""


class Unreachable(KeybrakeError):
    """Keybrake did not answer. Whether it has done what was asked is not known."""


class ApiError(KeybrakeError):
    """Keybrake's control API refused. `code` is stable: `forbidden`, `invalid`, `not_found`, `conflict`, and others."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        hint: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message, hint)
        self.status = status
        self.code = code
        #: What else the error says: `problems` with each wrong field, `key_id` of the active key that has the label.
        self.details: dict[str, object] = dict(details or {})

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.status, self.code, self.message, self.hint, self.details))
