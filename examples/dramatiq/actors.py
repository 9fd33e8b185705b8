"""The actors. `dramatiq actors` runs the workers; the key of a run comes with each message."""

import os

import dramatiq
import keybrake
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend, StubBackend

url = os.environ.get("REDIS_URL")  # without one everything runs in one process
broker = RedisBroker(url=url) if url else StubBroker()
broker.add_middleware(Results(backend=RedisBackend(url=url) if url else StubBackend()))
dramatiq.set_broker(broker)


# Whatever else fails is tried again: a time-out, a 503, too many requests in a second. A cap hit is not: `throws`.
@dramatiq.actor(max_retries=3, min_backoff=500, throws=keybrake.CapHit, store_results=True)
@keybrake.cap_hits()  # an error of the SDK that tells of a cap leaves as CapHit
def charge(run: dict[str, object], customer: str, cents: int) -> int:
    return pay(run, customer, cents)


@dramatiq.actor(max_retries=3, min_backoff=500, throws=keybrake.CapHit, store_results=True)
@keybrake.cap_hits()
def instalment(run: dict[str, object], order: str, part: str, cents: int, charged_before: int = 0) -> int:
    """A stage of a pipeline: what it returns is the last argument of the next one."""
    return charged_before + pay(run, f"{order}-{part}", cents)


def pay(run: dict[str, object], item: str, cents: int) -> int:
    key = keybrake.VaultKey.from_dict(run)
    key.stripe().v1.payment_intents.create(
        {"amount": cents, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa"},
        # The same for every delivery of the message: whatever repeats it, the item is charged once.
        {"idempotency_key": f"{key.label}-{item}"},
    )
    return cents
