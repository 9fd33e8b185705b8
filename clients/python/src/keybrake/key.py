"""A vault key, and the official SDKs pointed at Keybrake with it."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from .errors import Misconfigured
from .shapes import IssuedVaultKey

if TYPE_CHECKING:
    from stripe import StripeClient
    from twilio.rest import Client as TwilioClient


class VaultKey:
    """A key of one run. It can be pickled and sent to workers; it holds no control token, so that none can revoke it.

    `str()` and `repr()` do not show the secret: that is `key.token`.
    """

    # No `__dict__`: orchestrators store a run's parameters as `vars()` shows them, and the secret would be among them.
    __slots__ = ("issued",)

    def __init__(self, issued: IssuedVaultKey) -> None:
        #: The whole answer of the control API.
        self.issued = issued

    @classmethod
    def from_dict(cls, issued: Mapping[str, object]) -> VaultKey:
        """The key from `as_dict()`, on the other side of a queue."""
        return cls(cast(IssuedVaultKey, dict(issued)))

    def as_dict(self) -> dict[str, object]:
        """The key for JSON. The secret is in it."""
        return dict(self.issued)

    @property
    def id(self) -> str:
        """What audit rows and operators call it; no secret."""
        return self.issued["id"]

    @property
    def token(self) -> str:
        """The secret that stands in place of the vendor's."""
        return self.issued["vault_key"]

    @property
    def label(self) -> str | None:
        """The label of the run."""
        return self.issued["agent_run_label"]

    @property
    def expires_at(self) -> str:
        """When it stops by itself (ISO 8601, UTC)."""
        return self.issued["expires_at"]

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables for a process of its own, that reads its settings from the environment."""
        return self.issued["environment"]

    def base_url(self, vendor: str) -> str:
        """Where calls to this vendor go. Raises Misconfigured where the key is not for it."""
        address = self.issued["base_urls"].get(vendor)
        if address is None:
            known = ", ".join(self.issued["vendors"])
            raise Misconfigured(f"the key {self.id} is not for {vendor}", f"it is for {known}")
        return address

    def stripe(self, **options: Any) -> StripeClient:
        """A `stripe.StripeClient` with this key; `options` are its own."""
        from stripe import StripeClient

        address = self.base_url("stripe")
        # All of them: a file's upload is refused here rather than sent to Stripe with a key that it does not know.
        everywhere = {"api": address, "files": address, "connect": address, "meter_events": address}
        return StripeClient(self.token, **{"base_addresses": everywhere, **options})

    def twilio(self, **options: Any) -> TwilioClient:
        """A `twilio.rest.Client` with this key; `options` are its own. Its products go through Keybrake, too."""
        from twilio.rest import Client

        address = self.base_url("twilio")
        secret = self.issued["vault_key_alphanumeric"]
        client = Client(self.environment["TWILIO_ACCOUNT_SID"], secret, **options)
        # From TWILIO_EDGE and TWILIO_REGION: they would be put into the host of the address below.
        client.edge = client.region = None
        client.api.base_url = address
        for product in ("verify", "lookups", "messaging", "conversations", "voice", "video"):
            getattr(client, product).base_url = f"{address}/{product}"
        return client

    def resend(self) -> ModuleType:
        """The module `resend`, set to this key. It has one key for the whole process: one run at a time."""
        import resend

        resend.api_url = self.base_url("resend")
        resend.api_key = self.token
        return resend

    def __repr__(self) -> str:
        return f"VaultKey(id={self.id!r}, label={self.label!r}, expires_at={self.expires_at!r})"
