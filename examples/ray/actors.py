"""Long-lived actors, each with a key and a cap of its own. The driver replaces a key before it expires."""

import argparse
import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import keybrake
import ray


@ray.remote
class Agent:
    """Holds a key, and no control token: it can neither issue another one nor raise its cap."""

    def __init__(self, key: keybrake.VaultKey) -> None:
        self.refresh_key(key)

    def refresh_key(self, key: keybrake.VaultKey) -> None:
        self._label, self._stripe = key.label, key.stripe()

    def charge(self, order: str, cents: int) -> str:
        with keybrake.cap_hits():
            intent = self._stripe.v1.payment_intents.create(
                {"amount": cents, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa"},
                {"idempotency_key": f"{self._label}-{order}"},
            )
        return intent.id


@dataclass
class Seat:
    """What the driver knows of one actor."""

    agent: ray.actor.ActorHandle
    key: keybrake.VaultKey
    left_cents: int
    charged: int = 0
    is_stopped: bool = False


class Fleet:
    def __init__(self, size: int, budget_cents: int, expires_in: str, renew_before: timedelta) -> None:
        self._client = keybrake.Keybrake()
        self._expires_in, self._renew_before = expires_in, renew_before
        self.seats: list[Seat] = []
        job = ray.get_runtime_context().get_job_id()
        for number in range(size):
            key = self._issue(f"ray-agents/{job}/{number}", budget_cents)
            self.seats.append(Seat(Agent.remote(key), key, budget_cents))

    def charge(self, seat: Seat, order: str, cents: int) -> None:
        self._renew(seat)
        try:
            # Counted before the outcome is known: what was charged without an answer is spent as well.
            seat.left_cents -= cents
            ray.get(seat.agent.charge.remote(order, cents))
            seat.charged += 1
        except keybrake.CapHit:
            seat.is_stopped = True

    def close(self) -> None:
        for seat in self.seats:
            self._client.revoke(seat.key, "the fleet is done")

    def _issue(self, label: str, cap_cents: int) -> keybrake.VaultKey:
        return self._client.issue(
            template="billing", label=label, total_usd_cap=f"{max(cap_cents, 0) / 100:.2f}", expires_in=self._expires_in
        )

    def _renew(self, seat: Seat) -> None:
        if datetime.fromisoformat(seat.key.expires_at) - datetime.now(timezone.utc) > self._renew_before:
            return
        # A new key has a new cap: it is given what the actor has left, so that renewing never adds to the budget.
        old, seat.key = seat.key, self._issue(seat.key.label or "", seat.left_cents)
        ray.get(seat.agent.refresh_key.remote(seat.key))
        self._client.revoke(old, "renewed")


if __name__ == "__main__":
    flags = argparse.ArgumentParser()
    flags.add_argument("--agents", type=int, default=3)
    flags.add_argument("--rounds", type=int, default=5)
    flags.add_argument("--cents", type=int, default=2999)
    flags.add_argument("--budget-cents", type=int, default=10000)
    flags.add_argument("--expires-in", default="2h")
    flags.add_argument("--renew-before-s", type=int, default=600)
    told = flags.parse_args()
    ray.init(include_dashboard=False)
    fleet = Fleet(told.agents, told.budget_cents, told.expires_in, timedelta(seconds=told.renew_before_s))
    try:
        for round_number in range(told.rounds):
            for seat in fleet.seats:
                if not seat.is_stopped:
                    fleet.charge(seat, f"order-{round_number}", told.cents)
    finally:
        fleet.close()
    print(json.dumps({seat.key.label: seat.charged for seat in fleet.seats}))
