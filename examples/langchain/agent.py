"""An agent that charges customers, with a key that is capped for the run."""

import json
import sys

import keybrake
import stripe
from langchain.agents import create_agent
from langchain.agents.middleware import ToolRetryMiddleware
from langchain.tools import BaseTool, tool
from langchain_openai import ChatOpenAI


def charge_tool(key: keybrake.VaultKey, charged: set[str]) -> BaseTool:
    client = key.stripe(max_network_retries=0)  # the middleware below tries again

    @tool
    @keybrake.cap_hits()
    def charge_customer(customer: str) -> str:
        """Charge the customer's saved card for this month. `customer` is an id such as cus_1."""
        intent = client.v1.payment_intents.create(
            {"amount": 2000, "currency": "usd", "customer": customer, "confirm": True, "payment_method": "pm_card_visa"},
            {"idempotency_key": f"{key.label}-{customer}"},
        )
        charged.add(intent.id)
        return f"{customer} is charged"

    return charge_customer


def run(label: str, budget_usd: float) -> dict[str, object]:
    charged: set[str] = set()
    stopped_by = None
    retries = ToolRetryMiddleware(
        max_retries=2,
        # Not CapHit, which ends the run at once. Without cap_hits() it would be a RateLimitError.
        retry_on=(stripe.APIConnectionError, stripe.APIError, stripe.RateLimitError),
        on_failure="error",
    )
    try:
        with keybrake.vault_key(template="billing", label=label, daily_usd_cap=budget_usd) as key:
            agent = create_agent(ChatOpenAI(model="gpt-5-mini"), [charge_tool(key, charged)], middleware=[retries])
            agent.invoke(
                {"messages": [{"role": "user", "content": "Charge every customer whose invoice is due."}]},
                {"recursion_limit": 200},
            )
    except keybrake.CapHit as hit:
        stopped_by = hit.budget
    return {"label": label, "charged": len(charged), "stopped_by": stopped_by}


if __name__ == "__main__":
    print(json.dumps(run(label=sys.argv[1], budget_usd=float(sys.argv[2]))))
