"""A cap that was reached, as one exception for every vendor and SDK."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from contextlib import ContextDecorator
from types import TracebackType
from typing import Any, TypeVar, cast

from .errors import KeybrakeError

_Function = TypeVar("_Function", bound=Callable[..., Any])

#: What Keybrake writes of a cap, for SDKs that keep only the sentence: budget, then used, cap and cost where in dollars.
_SENTENCE = re.compile(
    r"Keybrake: (?P<message>The (?:cap|budget) (?P<budget>\S+) is reached: "
    r"(?:\$(?P<used_usd>\d+(?:\.\d+)?) of \$(?P<cap_usd>\d+(?:\.\d+)?) is used "
    r"and this call may cost \$(?P<requested_usd>\d+(?:\.\d+)?))?.*)",
    re.DOTALL,
)
_RESET = re.compile(r"It resets at (\S+Z)\.")
#: Twilio's SDKs give neither headers nor body, but this number: Keybrake's own for a cap, never one of Twilio's.
_TWILIO_CODE = 900022


class CapHit(KeybrakeError):
    """A cap of the vault key, or a budget above it, is reached: the call was not sent. Repeating it cannot help.

    `details` has what Keybrake said: `budget`, `cap_usd`, `used_usd`, `requested_usd`, `reset_at`, `key_id`,
    `request_id` — those that apply and that the SDK has kept.
    """

    def __init__(self, message: str, details: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.details: dict[str, object] = dict(details or {})

    @property
    def budget(self) -> str | None:
        """The name of the cap: `daily_usd_cap`, `daily_send_cap`, or a budget's own."""
        return self._text("budget")

    @property
    def reset_at(self) -> str | None:
        """When it starts anew (ISO 8601, UTC); None where it does not, or the SDK has not kept it."""
        return self._text("reset_at")

    def _text(self, name: str) -> str | None:
        value = self.details.get(name)
        return value if isinstance(value, str) else None

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.message, self.details))


def as_cap_hit(error: BaseException | None) -> CapHit | None:
    """The cap that an error of an official SDK (stripe, twilio, resend, or an HTTP client's) tells of, or None.

    An error that was raised from such a one counts as well.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        found = _of(error)
        if found is not None:
            return found
        error = error.__cause__
    return None


class _CapHits(ContextDecorator):
    """Without a state of its own: frameworks pickle what they run elsewhere, and a decorated function has this in it."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            raise_as_cap_hit(error)

    def __call__(self, function: _Function) -> _Function:
        if not inspect.iscoroutinefunction(function):
            return super().__call__(function)

        @functools.wraps(function)
        async def guarded(*args: Any, **fields: Any) -> Any:
            with self:
                return await function(*args, **fields)

        return cast(_Function, guarded)


def cap_hits() -> _CapHits:
    """`with cap_hits():` or `@cap_hits()` turns an SDK's error that tells of a cap into CapHit, for workers of a run."""
    return _CapHits()


def raise_as_cap_hit(error: BaseException) -> None:
    """Raises CapHit from `error` where that is an SDK's own and tells of a cap; what wraps one is left as it is."""
    if isinstance(error, CapHit):
        return
    found = _of(error)
    if found is not None:
        raise found from error


def _of(error: BaseException) -> CapHit | None:
    if isinstance(error, CapHit):
        return error
    response = getattr(error, "response", None)  # requests, httpx
    for body in (getattr(error, "json_body", None), _json_of(response)):
        details = body.get("keybrake") if isinstance(body, Mapping) else None
        if isinstance(details, Mapping):
            return _told(details) if details.get("code") == "cap_exceeded" else None
    text = f"{getattr(error, 'msg', '')} {error}"
    is_marked = _is_marked(getattr(error, "headers", None)) or _is_marked(getattr(response, "headers", None))
    if is_marked or (getattr(error, "code", None) == _TWILIO_CODE and "Keybrake: " in text):
        return _read(text)
    return None


def _json_of(response: object) -> object:
    reader = getattr(response, "json", None)
    if not callable(reader):
        return None
    try:
        return reader()
    except Exception:  # whatever a client makes of a body that is no JSON, or that is not read yet
        return None


def _is_marked(headers: object) -> bool:
    if headers is None or not hasattr(headers, "items"):
        return False
    return any(str(name).lower() == "x-keybrake-cap-hit" and str(value) == "true" for name, value in headers.items())


def _told(details: Mapping[str, object]) -> CapHit:
    return CapHit(str(details.get("message", "A cap is reached.")).removeprefix("Keybrake: "), details)


def _read(text: str) -> CapHit:
    found = _SENTENCE.search(text)
    if found is None:
        return CapHit("A cap is reached.", {"code": "cap_exceeded"})
    said = found.groupdict()
    message = said.pop("message").strip()
    reset = _RESET.search(message)
    known = {name: value for name, value in said.items() if value is not None}
    return CapHit(message, {"code": "cap_exceeded", **known, **({"reset_at": reset.group(1)} if reset else {})})
