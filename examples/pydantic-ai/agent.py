"""An agent that charges customers, with a key that is capped for the run."""

import asyncio
import json
import sys
from dataclasses import dataclass, field

import keybrake
import stripe
from pydantic_ai import Agent, ModelRetry, RunContext


@dataclass
class Billing:
    """The dependencies of a run: tools see them, the model never does."""

    key: keybrake.VaultKey
    charged: set[str] = field(default_factory=set)


agent = Agent("openai-chat:gpt-5-mini", deps_type=Billing, retries=2)


@agent.tool
async def charge_customer(run: RunContext[Billing], customer: str) -> str:
    """Charge the customer's saved card for this month. `customer` is an id such as cus_1."""
    key = run.deps.key
    try:
        with keybrake.cap_hits():  # CapHit is no ModelRetry: it ends the run
            intent = await key.stripe(max_network_retries=2).v1.payment_intents.create_async(
                {"amount": 2000, "currency": "usd", "customer": customer, "confirm": True, "payment_method": "pm_card_visa"},
                {"idempotency_key": f"{key.label}-{customer}"},
            )
    except stripe.CardError as error:
        raise ModelRetry(f"{customer} was not charged: {error.user_message}") from error
    run.deps.charged.add(intent.id)
    return f"{customer} is charged"


async def run(label: str, budget_usd: float) -> dict[str, object]:
    charged: set[str] = set()
    stopped_by = None
    try:
        async with keybrake.vault_key(template="billing", label=label, daily_usd_cap=budget_usd) as key:
            await agent.run("Charge every customer whose invoice is due.", deps=Billing(key, charged))
    except keybrake.CapHit as hit:
        stopped_by = hit.budget
    return {"label": label, "charged": len(charged), "stopped_by": stopped_by}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(label=sys.argv[1], budget_usd=float(sys.argv[2])))))
