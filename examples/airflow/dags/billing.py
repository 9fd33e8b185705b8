"""A billing run as an Airflow DAG: a setup task issues the key, mapped tasks share it, a teardown task revokes it."""

from datetime import timedelta

import keybrake
from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException


@dag(
    schedule=None,
    max_active_tasks=8,
    params={
        "customers": Param(12, type="integer"),
        "cents": Param(2999, type="integer"),
        "budget_usd": Param(150, type="number"),
    },
)
def billing():
    @task(retries=2, retry_delay=timedelta(seconds=1))
    def issue() -> dict:
        context = get_current_context()
        key = keybrake.Keybrake().issue(
            template="billing",
            label=f"airflow-billing/{context['run_id']}",
            daily_usd_cap=context["params"]["budget_usd"],
        )
        return key.as_dict()

    @task
    def customers() -> list[str]:
        return [f"cus_{n}" for n in range(get_current_context()["params"]["customers"])]

    @task(retries=3, retry_delay=timedelta(seconds=1))
    def charge(key: dict, customer: str) -> str:
        vault_key = keybrake.VaultKey.from_dict(key)
        try:
            with keybrake.cap_hits():
                intent = vault_key.stripe(max_network_retries=0).v1.payment_intents.create(
                    {
                        "amount": get_current_context()["params"]["cents"],
                        "currency": "usd",
                        "customer": customer,
                        "confirm": True,
                        "payment_method": "pm_card_visa",
                    },
                    {"idempotency_key": f"{vault_key.label}-{customer}"},
                )
        except keybrake.CapHit as hit:
            raise AirflowFailException(hit.message) from hit
        return intent.id

    @task(retries=2, retry_delay=timedelta(seconds=1))
    def revoke(key: dict) -> None:
        keybrake.Keybrake().revoke(key["id"], "the run ended")

    key = issue()
    charge.partial(key=key).expand(customer=customers()) >> revoke(key).as_teardown(setups=key)


dag = billing()
