"""An agent that charges customers, with a key that is capped for the run."""

import json
import sys

import keybrake
from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import Tool, create_tool_from_function


def charge_tool(key: keybrake.VaultKey, charged: set[str]) -> Tool:
    client = key.stripe(max_network_retries=2)

    def charge_customer(customer: str) -> str:
        """Charge the customer's saved card for this month. `customer` is an id such as cus_1."""
        intent = client.v1.payment_intents.create(
            {"amount": 2000, "currency": "usd", "customer": customer, "confirm": True, "payment_method": "pm_card_visa"},
            {"idempotency_key": f"{key.label}-{customer}"},
        )
        charged.add(intent.id)
        return f"{customer} is charged"

    return create_tool_from_function(charge_customer)


def run(label: str, budget_usd: float) -> dict[str, object]:
    charged: set[str] = set()
    stopped_by = None
    try:
        with keybrake.vault_key(template="billing", label=label, daily_usd_cap=budget_usd) as key:
            agent = Agent(
                chat_generator=OpenAIChatGenerator(model="gpt-5-mini"),
                tools=[charge_tool(key, charged)],
                raise_on_tool_invocation_failure=True,  # else the model is told of it, and goes on
            )
            agent.run(messages=[ChatMessage.from_user("Charge every customer whose invoice is due.")])
    except Exception as error:
        hit = keybrake.as_cap_hit(error)  # Haystack wraps what a tool raises in ToolInvocationError
        if hit is None:
            raise
        stopped_by = hit.budget
    return {"label": label, "charged": len(charged), "stopped_by": stopped_by}


if __name__ == "__main__":
    print(json.dumps(run(label=sys.argv[1], budget_usd=float(sys.argv[2]))))
