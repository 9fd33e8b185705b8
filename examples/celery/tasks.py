"""The tasks of a billing run. Workers get the key in the message; none of them needs a control token but `finish`'s."""

import os

import celery
import keybrake
import stripe

app = celery.Celery("billing", broker=os.environ["CELERY_BROKER_URL"], backend=os.environ["CELERY_RESULT_BACKEND"])
app.conf.update(
    task_acks_late=True,  # a worker that dies gives its charge back; the idempotency key makes that safe
    worker_prefetch_multiplier=1,
    task_routes={"tasks.finish": "control", "tasks.abandon": "control"},
    result_expires=3600,  # messages and results hold the key, which is worth nothing after the run
)

PASSING = (stripe.APIConnectionError, stripe.APIError, stripe.RateLimitError)


@app.task(
    autoretry_for=PASSING,
    dont_autoretry_for=(keybrake.CapHit,),
    max_retries=5,
    retry_backoff=1,
    retry_backoff_max=60,
    throws=(keybrake.CapHit,),  # expected: one line in the log, no stack
)
@keybrake.cap_hits()
def charge(key: dict, customer: str, cents: int) -> str:
    """Charges one customer of a run; a cap that is reached fails it, once."""
    vault_key = keybrake.VaultKey.from_dict(key)
    intent = vault_key.stripe(max_network_retries=0).v1.payment_intents.create(
        {"amount": cents, "currency": "usd", "customer": customer, "confirm": True, "payment_method": "pm_card_visa"},
        {"idempotency_key": f"{vault_key.label}-{customer}"},
    )
    return intent.id


@app.task(autoretry_for=PASSING, max_retries=5, retry_backoff=1)
def charge_or_cap(key: dict, customer: str, cents: int) -> str | None:
    """`charge` for a chord, whose callback waits for every answer: None where the cap is reached."""
    try:
        return charge.run(key, customer, cents)
    except keybrake.CapHit:
        return None


@app.task
def finish(charged: list[str | None], key_id: str) -> int:
    """The chord's callback: everybody has been tried."""
    keybrake.Keybrake().revoke(key_id, "the run ended")
    return sum(1 for intent in charged if intent is not None)


@app.task
def abandon(_task_id: str, *, key_id: str) -> None:
    """The chord's errback: a charge failed for good, so that the rest of the run is not to be paid either.

    One positional parameter: with more, Celery would call it within the worker that failed, which has no control token.
    """
    keybrake.Keybrake().revoke(key_id, "a charge of the run failed")
