"""Charges every customer of a run in parallel. One key, made by the driver: its cap holds over all workers together."""

import argparse
import json
from collections import Counter

import keybrake
import ray
import stripe

# What may pass by itself. CapHit is no error of Stripe's, so Ray does not repeat it; never use retry_exceptions=True.
TRANSIENT = [stripe.APIError, stripe.APIConnectionError, stripe.RateLimitError]


@ray.remote(max_retries=3, retry_exceptions=TRANSIENT)
def charge(key: keybrake.VaultKey, customer: str, cents: int) -> str:
    with keybrake.cap_hits():  # an error of the SDK that tells of a cap leaves as CapHit
        intent = key.stripe().v1.payment_intents.create(
            {"amount": cents, "currency": "usd", "customer": customer, "confirm": True, "payment_method": "pm_card_visa"},
            {"idempotency_key": f"{key.label}-{customer}"},
        )
    return intent.id


def bill(customers: list[str], cents: int, budget_usd: float) -> dict[str, object]:
    label = f"ray-billing/{ray.get_runtime_context().get_job_id()}"
    ends: Counter[str] = Counter()
    tasks: list[ray.ObjectRef] = []
    try:
        with keybrake.vault_key(template="billing", label=label, daily_usd_cap=budget_usd) as key:
            tasks = [charge.remote(key, customer, cents) for customer in customers]
            for task in tasks:
                try:
                    ray.get(task)
                    ends["charged"] += 1
                except keybrake.CapHit as hit:
                    ends[hit.budget or "cap"] += 1
                except stripe.AuthenticationError:  # an operator has revoked the key
                    ends["revoked"] += 1
    except BaseException:
        # The key is revoked by now: what Ray still starts is refused. Cancelling spares it the way.
        for task in tasks:
            ray.cancel(task)
        raise
    return {"label": label, **ends}


if __name__ == "__main__":
    flags = argparse.ArgumentParser()
    flags.add_argument("--customers", type=int, default=12)
    flags.add_argument("--cents", type=int, default=2999)
    flags.add_argument("--budget", type=float, default=150)
    flags.add_argument("--cpus", type=int)
    told = flags.parse_args()
    ray.init(num_cpus=told.cpus, include_dashboard=False)
    print(json.dumps(bill([f"cus_{n}" for n in range(told.customers)], told.cents, told.budget)))
