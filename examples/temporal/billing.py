"""A billing run as a Temporal workflow: an activity issues the key, activities share it, the workflow revokes it."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    import keybrake
    import stripe

SOON = timedelta(seconds=60)


@dataclass
class Run:
    customers: list[str]
    cents: int
    budget_usd: float


@activity.defn
def issue(label: str, budget_usd: float) -> dict:
    return keybrake.Keybrake().issue(template="billing", label=label, daily_usd_cap=budget_usd).as_dict()


@activity.defn
def charge(key: dict, customer: str, cents: int) -> str:
    vault_key = keybrake.VaultKey.from_dict(key)
    try:
        with keybrake.cap_hits():
            intent = vault_key.stripe(max_network_retries=0).v1.payment_intents.create(
                {"amount": cents, "currency": "usd", "customer": customer, "confirm": True, "payment_method": "pm_card_visa"},
                {"idempotency_key": f"{vault_key.label}-{customer}"},
            )
    except keybrake.CapHit as hit:
        raise ApplicationError(hit.message, type="CapHit", non_retryable=True) from hit
    except stripe.CardError as error:
        raise ApplicationError(str(error), type="CardError", non_retryable=True) from error
    return intent.id


@activity.defn
def revoke(key_id: str) -> None:
    keybrake.Keybrake().revoke(key_id, "the run ended")


@workflow.defn
class Billing:
    @workflow.run
    async def run(self, run: Run) -> dict[str, int]:
        label = f"temporal-billing/{workflow.info().workflow_id}"
        # Once: the client repeats what got no answer by itself, and a second key would be nobody's to revoke.
        once = RetryPolicy(maximum_attempts=1)
        key = await workflow.execute_activity(
            issue, args=[label, run.budget_usd], start_to_close_timeout=SOON, retry_policy=once
        )
        try:
            outcomes = await asyncio.gather(*(self._charge(key, customer, run.cents) for customer in run.customers))
        finally:  # also where the workflow is cancelled
            await workflow.execute_activity(revoke, key["id"], start_to_close_timeout=SOON)
        return {"charged": outcomes.count(True), "refused": outcomes.count(False)}

    async def _charge(self, key: dict, customer: str, cents: int) -> bool:
        """Whether the customer was charged; False where the cap is reached."""
        try:
            policy = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=5)
            await workflow.execute_activity(
                charge, args=[key, customer, cents], start_to_close_timeout=SOON, retry_policy=policy
            )
        except ActivityError as error:
            if isinstance(error.cause, ApplicationError) and error.cause.type == "CapHit":
                return False
            raise
        return True
