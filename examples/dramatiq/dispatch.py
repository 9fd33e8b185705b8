"""Issues one key for a run, sends the messages, waits for their end, and revokes the key."""

import argparse
import json
from collections import Counter

import dramatiq
import keybrake
from actors import StubBroker, broker, charge, instalment
from dramatiq.results.errors import ResultFailure

WAIT_MS = 300_000


def bill(run_id: str, customers: list[str], cents: int, budget_usd: float) -> dict[str, int]:
    """A group: all messages at once, one cap over all of them."""
    ends: Counter[str] = Counter()
    with keybrake.vault_key(template="billing", label=f"dramatiq-billing/{run_id}", daily_usd_cap=budget_usd) as key:
        group = dramatiq.group([charge.message(key.as_dict(), customer, cents) for customer in customers]).run()
        for message in group.children:
            ends[outcome_of(message)] += 1
    return dict(ends)


def collect(run_id: str, order: str, parts: list[str], cents: int, budget_usd: float) -> dict[str, int]:
    """A pipeline: one cap over all stages. The stage that hits it is the last one."""
    ends: Counter[str] = Counter()
    with keybrake.vault_key(template="billing", label=f"dramatiq-order/{run_id}", daily_usd_cap=budget_usd) as key:
        stages = [instalment.message(key.as_dict(), order, part, cents) for part in parts]
        for message in dramatiq.pipeline(stages).run().messages:
            outcome = outcome_of(message)
            ends[outcome] += 1
            if outcome != "charged":
                break  # Dramatiq does not run what stands behind it
    return dict(ends)


def outcome_of(message: dramatiq.Message) -> str:
    try:
        message.get_result(block=True, timeout=WAIT_MS)
        return "charged"
    except ResultFailure as failure:
        return failure.orig_exc_type or "failed"


if __name__ == "__main__":
    flags = argparse.ArgumentParser()
    flags.add_argument("what", choices=["group", "pipeline"])
    flags.add_argument("--run", default="nightly-1")
    flags.add_argument("--items", type=int, default=12)
    flags.add_argument("--cents", type=int, default=2999)
    flags.add_argument("--budget", type=float, default=150)
    told = flags.parse_args()
    if isinstance(broker, StubBroker):
        dramatiq.Worker(broker, worker_threads=8).start()
    items = [f"item_{number}" for number in range(told.items)]
    if told.what == "group":
        print(json.dumps(bill(told.run, items, told.cents, told.budget)))
    else:
        print(json.dumps(collect(told.run, "order_1", items, told.cents, told.budget)))
    broker.close()
