"""A key for as long as a block or a function runs."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import logging
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from .cap_hit import raise_as_cap_hit
from .client import Keybrake
from .errors import KeybrakeError
from .key import VaultKey

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .shapes import IssueKey

P = ParamSpec("P")
R = TypeVar("R")

_log = logging.getLogger("keybrake")


class Run:
    """`with` or `async with`: issues a key, and revokes it at the end, however that comes.

    An SDK's error that tells of a cap leaves the block as CapHit. A key that cannot be revoked is logged as an error of
    the logger `keybrake` and never raised: the block's own outcome stands, and the key stops when it expires.
    """

    def __init__(self, client: Keybrake, fields: IssueKey) -> None:
        self._client = client
        self._fields = fields
        self._key: VaultKey | None = None
        self._is_entered = False

    def __enter__(self) -> VaultKey:
        if self._is_entered:
            raise RuntimeError("a Run is one key for one block: call vault_key(…) for each")
        self._is_entered = True
        self._key = self._client.issue(**self._fields)
        return self._key

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._revoke(error)
        if error is not None:
            raise_as_cap_hit(error)

    async def __aenter__(self) -> VaultKey:
        entering = asyncio.ensure_future(asyncio.to_thread(self.__enter__))
        try:
            return await asyncio.shield(entering)
        except asyncio.CancelledError as cancelled:
            # The request is on its way: its key must not outlive a run that does not begin.
            with contextlib.suppress(KeybrakeError):
                await entering
                await asyncio.to_thread(self._revoke, cancelled)
            raise

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await asyncio.shield(asyncio.to_thread(self._revoke, error))
        if error is not None:
            raise_as_cap_hit(error)

    def _revoke(self, error: BaseException | None) -> None:
        key, self._key = self._key, None
        if key is None:
            return
        try:
            self._client.revoke(key, "the run ended" if error is None else f"the run ended with {type(error).__name__}")
        except KeybrakeError as failure:
            _log.error("the key %s was not revoked and works until %s: %s", key.id, key.expires_at, failure)


def vault_key(client: Keybrake | None = None, **fields: Unpack[IssueKey]) -> Run:
    """A key for a block: `with vault_key(template="billing", label="billing/42") as key:`; also `async with`.

    `fields` are those of `POST /vault/keys`. Without `client`, KEYBRAKE_URL and KEYBRAKE_API_KEY say where.
    """
    return Run(client or Keybrake(), fields)


def with_vault_key(
    client: Keybrake | None = None,
    label_of: Callable[..., str] | None = None,
    **fields: Unpack[IssueKey],
) -> Callable[[Callable[Concatenate[VaultKey, P], R]], Callable[P, R]]:
    """A key for each call of a function, plain or async, as its first argument; `label_of` makes the label of the rest."""

    def run_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Run:
        own = fields if label_of is None else cast("IssueKey", {**fields, "label": label_of(*args, **kwargs)})
        return Run(client or Keybrake(), own)

    def decorate(function: Callable[Concatenate[VaultKey, P], R]) -> Callable[P, R]:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError("a generator outlives its call: use `with vault_key(…)` within it")
        if inspect.iscoroutinefunction(function):

            async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
                async with run_of(args, kwargs) as key:
                    return await function(key, *args, **kwargs)

            return cast("Callable[P, R]", _named_after(function, awaited))

        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            with run_of(args, kwargs) as key:
                return function(key, *args, **kwargs)

        return cast("Callable[P, R]", _named_after(function, called))

    return decorate


def _named_after(function: Callable[..., Any], wrapper: Callable[..., Any]) -> Callable[..., Any]:
    functools.update_wrapper(wrapper, function)
    # Frameworks read signature and annotations to know what to pass: the key is not theirs to give.
    signature = inspect.signature(function)
    first, *own = signature.parameters.values()
    wrapper.__signature__ = signature.replace(parameters=own)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {name: of for name, of in wrapper.__annotations__.items() if name != first.name}
    return wrapper
