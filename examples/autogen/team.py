"""A team that charges customers, with a key that is capped for the run."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable

import keybrake
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import ExternalTermination, MaxMessageTermination, TextMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_ext.models.openai import OpenAIChatCompletionClient


def charge_tool(
    key: keybrake.VaultKey, charged: set[str], hits: list[keybrake.CapHit], stop: ExternalTermination
) -> Callable[[str], Awaitable[str]]:
    client = key.stripe(max_network_retries=2)

    async def charge_customer(customer: str) -> str:
        """Charge the customer's saved card for this month. The customer is an id such as cus_1."""
        try:
            with keybrake.cap_hits():
                intent = await client.v1.payment_intents.create_async(
                    {"amount": 2000, "currency": "usd", "customer": customer, "confirm": True, "payment_method": "pm_card_visa"},
                    {"idempotency_key": f"{key.label}-{customer}"},
                )
        except keybrake.CapHit as hit:
            hits.append(hit)
            stop.set()  # AutoGen gives what a tool raises to the model: this ends the team's run
            raise
        charged.add(intent.id)
        return f"{customer} is charged"

    return charge_customer


async def run(label: str, budget_usd: float) -> dict[str, object]:
    charged: set[str] = set()
    hits: list[keybrake.CapHit] = []
    model = OpenAIChatCompletionClient(model="gpt-4.1-mini")
    async with keybrake.vault_key(template="billing", label=label, daily_usd_cap=budget_usd) as key:
        stop = ExternalTermination()
        # One tool call a turn, its own default: the team looks at `stop` after each.
        biller = AssistantAgent("biller", model, tools=[charge_tool(key, charged, hits, stop)], max_tool_iterations=1)
        ends = stop | TextMessageTermination("biller") | MaxMessageTermination(500)
        team = RoundRobinGroupChat([biller], termination_condition=ends)
        running = asyncio.create_task(team.run(task="Charge every customer whose invoice is due."))
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            stop.set()  # a team that is cancelled itself would finish its conversation first
            await running
            raise
    await model.close()
    return {"label": label, "charged": len(charged), "stopped_by": hits[0].budget if hits else None}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(label=sys.argv[1], budget_usd=float(sys.argv[2])))))
