"""An agent that charges customers, with a key that is capped for the run."""

import asyncio
import json
import sys
from dataclasses import dataclass, field

import keybrake
from agents import Agent, OpenAIChatCompletionsModel, RunConfig, RunContextWrapper, Runner, function_tool
from openai import AsyncOpenAI


@dataclass
class Billing:
    """The context of a run: tools see it, the model never does."""

    key: keybrake.VaultKey
    charged: set[str] = field(default_factory=set)


# Without failure_error_function=None the SDK tells the model of the exception, and the model tries the next customer.
@function_tool(failure_error_function=None)
async def charge_customer(run: RunContextWrapper[Billing], customer: str) -> str:
    """Charge the customer's saved card for this month.

    Args:
        customer: Its id, such as cus_1.
    """
    key = run.context.key
    with keybrake.cap_hits():
        intent = await key.stripe(max_network_retries=2).v1.payment_intents.create_async(
            {"amount": 2000, "currency": "usd", "customer": customer, "confirm": True, "payment_method": "pm_card_visa"},
            {"idempotency_key": f"{key.label}-{customer}"},
        )
    run.context.charged.add(intent.id)
    return f"{customer} is charged"


async def run(label: str, budget_usd: float) -> dict[str, object]:
    model = OpenAIChatCompletionsModel("gpt-5-mini", AsyncOpenAI())
    agent = Agent[Billing](name="Billing", model=model, tools=[charge_customer])
    charged: set[str] = set()
    stopped_by = None
    try:
        async with keybrake.vault_key(template="billing", label=label, daily_usd_cap=budget_usd) as key:
            await Runner.run(
                agent,
                "Charge every customer whose invoice is due.",
                context=Billing(key, charged),
                max_turns=100,
                run_config=RunConfig(tracing_disabled=True),
            )
    except Exception as error:
        hit = keybrake.as_cap_hit(error)  # the SDK wraps what a tool raises in UserError
        if hit is None:
            raise
        stopped_by = hit.budget
    return {"label": label, "charged": len(charged), "stopped_by": stopped_by}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(label=sys.argv[1], budget_usd=float(sys.argv[2])))))
