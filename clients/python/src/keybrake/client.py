"""Keybrake's control API, as far as a run needs it: issue a key, revoke it."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from .errors import ApiError, Misconfigured, Unreachable
from .key import VaultKey
from .shapes import IssuedVaultKey

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .shapes import IssueKey

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
#: Seconds before the second and the third try. Every request of this package can be made twice.
_WAITS_S = (0.2, 0.8)
_ANSWER_BYTES_MAX = 4 * 1024 * 1024


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The token stays with the address that was named."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


class Keybrake:
    """A Keybrake server. `url` and `api_key` default to KEYBRAKE_URL and KEYBRAKE_API_KEY.

    Plain http:// is for this machine only, unless KEYBRAKE_ALLOW_HTTP=true. KEYBRAKE_CA_FILE names the certificates of
    an authority of your own. Raises Misconfigured.
    """

    def __init__(self, url: str | None = None, api_key: str | None = None, *, timeout_s: float = 30) -> None:
        self._url = _checked(url or os.environ.get("KEYBRAKE_URL", ""))
        self._api_key = api_key or os.environ.get("KEYBRAKE_API_KEY", "")
        if not self._api_key:
            raise Misconfigured("no control token", "set KEYBRAKE_API_KEY, or pass api_key=")
        self._timeout_s = timeout_s
        self._opener = _opener(self._url)

    def issue(self, **fields: Unpack[IssueKey]) -> VaultKey:
        """Issues a key. A lost answer makes no second one. Raises ApiError and Unreachable."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return VaultKey(cast(IssuedVaultKey, self._ask("POST", "/vault/keys", dict(fields), headers)))

    def revoke(self, key: VaultKey | str, reason: str | None = None) -> None:
        """Revokes a key, by itself or its id; in force when this returns. A revoked one stays so.

        Raises ApiError and Unreachable.
        """
        key_id = key if isinstance(key, str) else key.id
        query = "" if reason is None else "?" + urllib.parse.urlencode({"reason": reason})
        self._ask("DELETE", f"/vault/keys/{urllib.parse.quote(key_id, safe='')}{query}")

    def revoke_run(self, label: str, reason: str | None = None) -> None:
        """Revokes every key with exactly this label: for hooks that know a run and have not seen its key.

        An issuer's token revokes those that it has issued. Raises ApiError and Unreachable.
        """
        self._ask("POST", "/vault/keys/revoke", {"label": label, **({} if reason is None else {"reason": reason})})

    def _ask(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Mapping[str, object]:
        for wait_s in _WAITS_S:
            try:
                return self._ask_once(method, path, body, headers or {})
            except Unreachable:
                time.sleep(wait_s)
            except ApiError as error:
                if error.status != 503:
                    raise
                time.sleep(wait_s)
        return self._ask_once(method, path, body, headers or {})

    def _ask_once(self, method: str, path: str, body: object, headers: Mapping[str, str]) -> Mapping[str, object]:
        request = urllib.request.Request(
            self._url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"Bearer {self._api_key}", "Content-Type": "application/json", **headers},
        )
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                status, text = answer.status, answer.read(_ANSWER_BYTES_MAX)
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error.code, error.read(_ANSWER_BYTES_MAX)) from None
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"Keybrake at {self._url} did not answer: {error}", "is it running?") from error
        parsed = _parsed(text)
        if parsed is None:
            raise ApiError(status, "no_keybrake", f"what answers at {self._url} is no Keybrake", "check KEYBRAKE_URL")
        return parsed

    def __repr__(self) -> str:
        return f"Keybrake({self._url!r})"


def _checked(url: str) -> str:
    if not url:
        raise Misconfigured("no address of Keybrake", "set KEYBRAKE_URL, or pass url=")
    try:
        parts = urllib.parse.urlsplit(url)
        host = parts.hostname
    except ValueError:
        parts, host = urllib.parse.urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or parts.query or parts.fragment:
        raise Misconfigured("the address of Keybrake is no http(s) address", "as in https://keybrake.example")
    if parts.scheme == "http" and host not in _LOOPBACK and os.environ.get("KEYBRAKE_ALLOW_HTTP") != "true":
        raise Misconfigured(
            f"the token would go to {host} unencrypted",
            "use https://, or set KEYBRAKE_ALLOW_HTTP=true on a network that encrypts by itself",
        )
    return url.rstrip("/")


def _opener(url: str) -> urllib.request.OpenerDirector:
    handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
    if url.startswith("http://"):
        handlers.append(urllib.request.ProxyHandler({}))  # a proxy would see the token
    else:
        context = ssl.create_default_context(cafile=os.environ.get("KEYBRAKE_CA_FILE"))
        handlers.append(urllib.request.HTTPSHandler(context=context))
    return urllib.request.build_opener(*handlers)


def _parsed(text: bytes) -> Mapping[str, object] | None:
    try:
        parsed = json.loads(text)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _refusal(status: int, text: bytes) -> ApiError:
    error = (_parsed(text) or {}).get("error")
    if not isinstance(error, dict):
        return ApiError(status, "no_keybrake", f"Keybrake's address answered {status}", "check KEYBRAKE_URL")
    more = {name: value for name, value in error.items() if name not in ("code", "message", "hint")}
    hint = error.get("hint")
    return ApiError(status, str(error.get("code")), str(error.get("message")), None if hint is None else str(hint), more)
