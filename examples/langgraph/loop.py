"""A graph that charges one customer after the other, until all are charged or the cap ends the run."""

import json
import operator
import sys
from dataclasses import dataclass, field
from typing import Annotated

import keybrake
import stripe
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import RetryPolicy
from typing_extensions import TypedDict


class State(TypedDict):
    customers: list[str]
    done: Annotated[int, operator.add]


@dataclass
class Billing:
    """The context of a run. Not the state: a checkpointer would write the key down."""

    key: keybrake.VaultKey
    charged: list[str] = field(default_factory=list)


@keybrake.cap_hits()
def charge(state: State, runtime: Runtime[Billing]) -> dict[str, int]:
    key, customer = runtime.context.key, state["customers"][state["done"]]
    key.stripe(max_network_retries=0).v1.payment_intents.create(
        {"amount": 2000, "currency": "usd", "customer": customer, "confirm": True, "payment_method": "pm_card_visa"},
        {"idempotency_key": f"{key.label}-{customer}"},
    )
    runtime.context.charged.append(customer)
    return {"done": 1}


def more(state: State) -> str:
    return "charge" if state["done"] < len(state["customers"]) else END


# LangGraph's own retry_on repeats every exception that it does not know, a cap hit among them: name what may be repeated.
patience = RetryPolicy(max_attempts=3, initial_interval=0.2, retry_on=(stripe.APIConnectionError, stripe.APIError))
graph = StateGraph(State, context_schema=Billing)
graph.add_node("charge", charge, retry_policy=patience)
graph.add_conditional_edges(START, more, ["charge", END])
graph.add_conditional_edges("charge", more, ["charge", END])
billing = graph.compile()


def run(label: str, budget_usd: float, customers: list[str]) -> dict[str, object]:
    charged: list[str] = []
    stopped_by = None
    try:
        with keybrake.vault_key(template="billing", label=label, daily_usd_cap=budget_usd) as key:
            billing.invoke(
                {"customers": customers, "done": 0},
                {"recursion_limit": len(customers) + 1},
                context=Billing(key, charged),
            )
    except keybrake.CapHit as hit:
        stopped_by = hit.budget
    return {"label": label, "charged": len(charged), "stopped_by": stopped_by}


if __name__ == "__main__":
    label, budget_usd, *customers = sys.argv[1:]
    print(json.dumps(run(label, float(budget_usd), customers)))
