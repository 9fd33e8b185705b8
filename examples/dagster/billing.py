"""A billing run as a Dagster job: the key is a resource, issued when the run begins and revoked when it ends."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import keybrake
import stripe
from pydantic import PrivateAttr

PASSING = (stripe.APIConnectionError, stripe.APIError, stripe.RateLimitError)


class RunKey(dg.ConfigurableResource):
    """One vault key for a run: Dagster leaves the block at the run's end, also where a step fails or it is terminated."""

    budget_usd: float
    _key: keybrake.VaultKey = PrivateAttr()

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["RunKey"]:
        label = f"dagster-billing/{context.run_id}"
        with keybrake.vault_key(template="billing", label=label, daily_usd_cap=self.budget_usd) as key:
            self._key = key
            yield self

    def charge(self, customer: str, cents: int) -> str:
        with keybrake.cap_hits():
            intent = self._key.stripe(max_network_retries=0).v1.payment_intents.create(
                {"amount": cents, "currency": "usd", "customer": customer, "confirm": True, "payment_method": "pm_card_visa"},
                {"idempotency_key": f"{self._key.label}-{customer}"},
            )
        return intent.id


class Invoices(dg.Config):
    customers: int = 12


class Amount(dg.Config):
    cents: int = 2999


@dg.op(out=dg.DynamicOut(str))
def invoices(config: Invoices) -> Iterator[dg.DynamicOutput[str]]:
    for n in range(config.customers):
        yield dg.DynamicOutput(f"cus_{n}", mapping_key=f"cus_{n}")


@dg.op
def charge(config: Amount, run_key: RunKey, customer: str) -> str:
    try:
        return run_key.charge(customer, config.cents)
    except keybrake.CapHit as hit:
        raise dg.Failure(hit.message, metadata={"budget": hit.budget or ""}, allow_retries=False) from hit
    except PASSING as error:
        raise dg.RetryRequested(max_retries=3, seconds_to_wait=1) from error


@dg.job(executor_def=dg.in_process_executor, resource_defs={"run_key": RunKey.configure_at_launch()})
def billing() -> None:
    invoices().map(charge)


defs = dg.Definitions(jobs=[billing])
