"""Charges every customer of a run in parallel. The cap holds over all workers together."""

import argparse
import json

import keybrake
import ray


@ray.remote(max_retries=2, retry_exceptions=[ConnectionError])
def charge(key: keybrake.VaultKey, customer: str, cents: int) -> str:
    with keybrake.cap_hits():  # Stripe's error that tells of a cap leaves as CapHit
        intent = key.stripe(max_network_retries=2).v1.payment_intents.create(
            {"amount": cents, "currency": "usd", "customer": customer, "confirm": True, "payment_method": "pm_card_visa"},
            {"idempotency_key": f"{key.label}-{customer}"},
        )
    return intent.id


def bill(customers: list[str], cents: int, budget_usd: float) -> dict[str, object]:
    label = f"ray-billing/{ray.get_runtime_context().get_job_id()}"
    charged: list[str] = []
    stopped_by: set[str] = set()
    with keybrake.vault_key(template="billing", label=label, daily_usd_cap=budget_usd) as key:
        pending = [charge.remote(key, customer, cents) for customer in customers]
        for done in pending:
            try:
                charged.append(ray.get(done))
            except keybrake.CapHit as hit:
                stopped_by.add(hit.budget or "a cap")
    return {"label": label, "charged": len(charged), "stopped_by": sorted(stopped_by)}


if __name__ == "__main__":
    flags = argparse.ArgumentParser()
    flags.add_argument("--customers", type=int, default=12)
    flags.add_argument("--cents", type=int, default=2999)
    flags.add_argument("--budget", type=float, default=150)
    told = flags.parse_args()
    ray.init()
    print(json.dumps(bill([f"cus_{n}" for n in range(told.customers)], told.cents, told.budget)))
