"""Caching: a charge that has succeeded is not made again, by whatever run."""

import json

import keybrake
import prefect
from billing import charge, ends_of
from prefect.cache_policies import INPUTS
from prefect.runtime import flow_run

# Without the key, which is another one in each run. What is left, invoice and amount, is what must not be charged twice.
charge_once = charge.with_options(cache_policy=INPUTS - "key", persist_result=True)


@prefect.flow
def invoices(numbers: list[str], cents: int, budget_usd: float) -> dict[str, int]:
    with keybrake.vault_key(template="billing", label=f"invoices/{flow_run.id}", daily_usd_cap=budget_usd) as key:
        charges = charge_once.map(prefect.unmapped(key), numbers, cents)
        charges.wait()
    return ends_of(charges)


if __name__ == "__main__":
    numbers = [f"inv_{number}" for number in range(6)]
    first = invoices(numbers, 2999, 100)  # three fit
    print(json.dumps([first, invoices(numbers, 2999, 100)]))  # and the other three, with the next run's key
