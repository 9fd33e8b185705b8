"""An agent that charges customers, with a key that is capped for the run."""

import json
import sys
from collections.abc import Callable

import keybrake
from agno.agent import Agent
from agno.exceptions import StopAgentRun
from agno.models.openai import OpenAIChat


def charge_tool(key: keybrake.VaultKey, charged: set[str], hits: list[keybrake.CapHit]) -> Callable[[str], str]:
    client = key.stripe(max_network_retries=2)

    def charge_customer(customer: str) -> str:
        """Charge the customer's saved card for this month. `customer` is an id such as cus_1."""
        try:
            with keybrake.cap_hits():
                intent = client.v1.payment_intents.create(
                    {"amount": 2000, "currency": "usd", "customer": customer, "confirm": True, "payment_method": "pm_card_visa"},
                    {"idempotency_key": f"{key.label}-{customer}"},
                )
        except keybrake.CapHit as hit:
            hits.append(hit)
            raise StopAgentRun(hit) from hit  # any other exception is told to the model, which goes on
        charged.add(intent.id)
        return f"{customer} is charged"

    return charge_customer


def run(label: str, budget_usd: float) -> dict[str, object]:
    charged: set[str] = set()
    hits: list[keybrake.CapHit] = []
    with keybrake.vault_key(template="billing", label=label, daily_usd_cap=budget_usd) as key:
        agent = Agent(model=OpenAIChat(id="gpt-5-mini"), tools=[charge_tool(key, charged, hits)], telemetry=False)
        agent.run("Charge every customer whose invoice is due.")
    return {"label": label, "charged": len(charged), "stopped_by": hits[0].budget if hits else None}


if __name__ == "__main__":
    print(json.dumps(run(label=sys.argv[1], budget_usd=float(sys.argv[2]))))
