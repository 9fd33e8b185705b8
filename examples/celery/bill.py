"""Starts a billing run: `python bill.py RUN`, and with --detach it does not wait for its end."""

import argparse
import json

import celery
import keybrake

from tasks import abandon, charge, charge_or_cap, finish


def bill(run: str, customers: list[str], cents: int, budget_usd: float) -> dict[str, object]:
    """Waits for the group. The key is revoked when it is done, fails, or this process is interrupted."""
    charged, capped = 0, 0
    with keybrake.vault_key(template="billing", label=f"celery-billing/{run}", daily_usd_cap=budget_usd) as key:
        group = celery.group(charge.s(key.as_dict(), customer, cents) for customer in customers)
        outcomes = group.apply_async(expires=key.expires_at).join(propagate=False)
        for outcome in outcomes:
            if isinstance(outcome, keybrake.CapHit):
                capped += 1
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                charged += 1
    return {"charged": charged, "capped": capped}


def bill_detached(run: str, customers: list[str], cents: int, budget_usd: float) -> str:
    """Returns at once, as a task of Celery beat would: the chord's callback revokes the key, in a worker."""
    key = keybrake.Keybrake().issue(
        template="billing", label=f"celery-billing/{run}", unique_label=True, daily_usd_cap=budget_usd
    )
    end = finish.s(key.id).on_error(abandon.s(key_id=key.id))
    chord = celery.chord(charge_or_cap.s(key.as_dict(), customer, cents) for customer in customers)
    return chord(end).id


if __name__ == "__main__":
    flags = argparse.ArgumentParser()
    flags.add_argument("run")
    flags.add_argument("--customers", type=int, default=12)
    flags.add_argument("--cents", type=int, default=2999)
    flags.add_argument("--budget", type=float, default=150)
    flags.add_argument("--detach", action="store_true")
    told = flags.parse_args()
    start = bill_detached if told.detach else bill
    print(json.dumps(start(told.run, [f"cus_{n}" for n in range(told.customers)], told.cents, told.budget)))
