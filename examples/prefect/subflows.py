"""Subflows: with the key of their parent and so under its cap, or each with a key and a cap of its own."""

import json
import sys

import keybrake
import prefect
from billing import charge, ends_of
from prefect.runtime import flow_run


@prefect.flow
def region(key: keybrake.VaultKey, name: str, customers: list[str], cents: int) -> dict[str, int]:
    """Prefect stores the parameters of flow runs. A VaultKey is stored as `<VaultKey>`; never pass `key.token`."""
    charges = charge.map(prefect.unmapped(key), [f"{name}_{customer}" for customer in customers], cents)
    charges.wait()
    return ends_of(charges)


@prefect.flow
def nightly(regions: list[str], customers: list[str], cents: int, budget_usd: float) -> dict[str, dict[str, int]]:
    """One budget for the night, whichever region spends it."""
    with keybrake.vault_key(template="billing", label=f"nightly/{flow_run.id}", daily_usd_cap=budget_usd) as key:
        return {name: region(key, name, customers, cents) for name in regions}


@prefect.flow
def independent_region(name: str, customers: list[str], cents: int, budget_usd: float) -> dict[str, int]:
    label = f"region/{name}/{flow_run.id}"
    with keybrake.vault_key(template="billing", label=label, daily_usd_cap=budget_usd) as key:
        return region(key, name, customers, cents)


if __name__ == "__main__":
    regions, customers = ["north", "south"], [f"cus_{number}" for number in range(4)]
    if sys.argv[1] == "shared":
        print(json.dumps(nightly(regions, customers, 2999, 150)))
    else:
        print(json.dumps([independent_region(name, customers, 2999, 60) for name in regions]))
