"""A flow that charges: one key for the flow run, its cap over all tasks, revoked however the run ends."""

import json
import sys
from collections import Counter
from typing import Any

import keybrake
import prefect
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run


def unless_cap_hit(_task: Any, _run: Any, state: Any) -> bool:
    """What else fails is tried again; a cap hit is final, and so is a key that was revoked."""
    return not isinstance(state.data, keybrake.CapHit) and getattr(state.data, "http_status", None) != 401


@prefect.task(retries=3, retry_delay_seconds=1, retry_condition_fn=unless_cap_hit, cache_policy=NO_CACHE)
@keybrake.cap_hits()  # an error of the SDK that tells of a cap leaves as CapHit
def charge(key: keybrake.VaultKey, customer: str, cents: int) -> str:
    intent = key.stripe().v1.payment_intents.create(
        {"amount": cents, "currency": "usd", "customer": customer, "confirm": True, "payment_method": "pm_card_visa"},
        # The label has the flow run's id: a task that is tried again, or a run that is, charges nobody twice.
        {"idempotency_key": f"{key.label}-{customer}"},
    )
    return intent.id


def label_of(run_id: object) -> str:
    return f"prefect-billing/{run_id}"


def revoke_key(_flow: Any, run: Any, state: Any) -> None:
    """Prefect runs this where the flow's process was killed, too: in the process that serves it."""
    keybrake.Keybrake().revoke_run(label_of(run.id), f"the flow run is {state.name}")


@prefect.flow(name="billing", on_cancellation=[revoke_key], on_crashed=[revoke_key])
def billing(customers: list[str], cents: int = 2999, budget_usd: float = 150) -> dict[str, int]:
    with keybrake.vault_key(template="billing", label=label_of(flow_run.id), daily_usd_cap=budget_usd) as key:
        charges = charge.map(prefect.unmapped(key), customers, cents)
        charges.wait()
    return ends_of(charges)


def ends_of(charges: list[Any]) -> dict[str, int]:
    """What came of the tasks: how many have charged, and what stopped the others."""
    ends = Counter(
        "charged" if charge.state.is_completed() else type(charge.result(raise_on_failure=False)).__name__
        for charge in charges
    )
    return dict(ends)


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        billing.serve(name="nightly")
    else:
        print(json.dumps(billing([f"cus_{number}" for number in range(12)])))
