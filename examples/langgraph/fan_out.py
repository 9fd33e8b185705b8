"""A graph that charges all customers in parallel. The cap holds over all branches; each says what became of it."""

import json
import operator
import sys
from typing import Annotated

import keybrake
import stripe
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import RetryPolicy, Send
from typing_extensions import TypedDict


class State(TypedDict):
    customers: list[str]
    charged: Annotated[list[str], operator.add]
    refused: Annotated[list[str], operator.add]


def each_customer(state: State) -> list[Send]:
    return [Send("charge", customer) for customer in state["customers"]]


def charge(customer: str, runtime: Runtime[keybrake.VaultKey]) -> dict[str, list[str]]:
    key = runtime.context
    try:
        with keybrake.cap_hits():
            key.stripe(max_network_retries=0).v1.payment_intents.create(
                {"amount": 2000, "currency": "usd", "customer": customer, "confirm": True, "payment_method": "pm_card_visa"},
                {"idempotency_key": f"{key.label}-{customer}"},
            )
    except keybrake.CapHit:
        return {"refused": [customer]}  # raised, it would throw away what the branches beside it have written
    return {"charged": [customer]}


patience = RetryPolicy(max_attempts=3, initial_interval=0.2, retry_on=(stripe.APIConnectionError, stripe.APIError))
graph = StateGraph(State, context_schema=keybrake.VaultKey)
graph.add_node("charge", charge, retry_policy=patience)
graph.add_conditional_edges(START, each_customer, ["charge"])
graph.add_edge("charge", END)
billing = graph.compile()


def run(label: str, budget_usd: float, customers: list[str]) -> dict[str, object]:
    with keybrake.vault_key(template="billing", label=label, daily_usd_cap=budget_usd) as key:
        state = billing.invoke({"customers": customers}, context=key)
    return {"label": label, "charged": len(state["charged"]), "refused": len(state["refused"])}


if __name__ == "__main__":
    label, budget_usd, *customers = sys.argv[1:]
    print(json.dumps(run(label, float(budget_usd), customers)))
