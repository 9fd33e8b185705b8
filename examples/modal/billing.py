"""Modal functions that charge: with a key for each invocation, for a batch, or for the life of a container.

`modal run billing.py` in the cloud; `python on_this_machine.py` calls the same functions here, without an account.
"""

from datetime import datetime, timedelta, timezone

import keybrake
import modal

app = modal.App("billing-agent")
image = modal.Image.debian_slim().pip_install("stripe==16.1.0").add_local_python_source("keybrake")
# KEYBRAKE_URL and KEYBRAKE_API_KEY. Stripe's secret stays in Keybrake and is nowhere in Modal.
keybrake_secret = modal.Secret.from_name("keybrake-secret")

PER_INVOCATION_USD = 50  # the largest legitimate bill of one customer and a little more
PER_CONTAINER_USD = 100
RENEW_BEFORE = timedelta(minutes=10)


def pay(key: keybrake.VaultKey, item: str, cents: int) -> str:
    intent = key.stripe(max_network_retries=2).v1.payment_intents.create(
        {"amount": cents, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa"},
        {"idempotency_key": f"{key.label}-{item}"},
    )
    return intent.id


def stopped(hit: keybrake.CapHit) -> dict[str, str]:
    """Modal's retries know no exceptions that are final: a cap hit is an answer, so that nothing repeats it."""
    return {"stopped_by": hit.budget or "a cap"}


@app.function(image=image, secrets=[keybrake_secret], retries=3, timeout=300)
def bill_customer(customer: str, items: dict[str, int]) -> dict[str, str]:
    """A key for this invocation alone, revoked when it returns."""
    charged: dict[str, str] = {}
    fields = {"daily_usd_cap": PER_INVOCATION_USD, "expires_in": "5m"}
    try:
        with keybrake.vault_key(template="billing", label=f"modal-billing/{customer}", **fields) as key:
            for item, cents in items.items():
                charged[item] = pay(key, item, cents)
    except keybrake.CapHit as hit:
        return charged | stopped(hit)
    return charged


@app.function(image=image, retries=3, timeout=300)
def charge_with(run: dict[str, object], item: str, cents: int) -> dict[str, str]:
    """With the key of its batch: this container needs no secret at all."""
    try:
        with keybrake.cap_hits():
            return {item: pay(keybrake.VaultKey.from_dict(run), item, cents)}
    except keybrake.CapHit as hit:
        return stopped(hit)


@app.cls(image=image, secrets=[keybrake_secret], timeout=3600)
class Biller:
    """A container with a key of its own; one label over all the keys that it has in its life."""

    name: str = modal.parameter()

    @modal.enter()
    def issue(self) -> None:
        self._client = keybrake.Keybrake()
        self._left_cents = PER_CONTAINER_USD * 100
        self._key = self._new_key()

    @modal.method()
    def charge(self, item: str, cents: int) -> dict[str, str]:
        if datetime.fromisoformat(self._key.expires_at) - datetime.now(timezone.utc) < RENEW_BEFORE:
            # The new key gets what is left, so that renewing never adds to the cap.
            old, self._key = self._key, self._new_key()
            self._client.revoke(old, "renewed")
        try:
            self._left_cents -= cents  # before the outcome is known: an unknown one counts as spent
            with keybrake.cap_hits():
                return {item: pay(self._key, item, cents)}
        except keybrake.CapHit as hit:
            return stopped(hit)

    @modal.exit()
    def end(self) -> None:
        self.close()

    def close(self) -> None:
        self._client.revoke(self._key, "the container ended")

    def _new_key(self) -> keybrake.VaultKey:
        cap = f"{max(self._left_cents, 0) / 100:.2f}"
        label = f"modal-container/{self.name}"
        return self._client.issue(template="billing", label=label, total_usd_cap=cap, expires_in="15m")


@app.local_entrypoint()
def main(run_id: str, items: int = 12, cents: int = 2999, budget_usd: float = 150) -> None:
    """One key for the batch: the cap of the whole .map(), with one request more than it had."""
    with keybrake.vault_key(template="billing", label=f"modal-batch/{run_id}", daily_usd_cap=budget_usd) as key:
        batch = [(key.as_dict(), f"item_{number}", cents) for number in range(items)]
        print(list(charge_with.starmap(batch)))
