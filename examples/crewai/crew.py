"""A crew that charges customers, with a key that is capped for the run."""

import json
import sys

import keybrake
from crewai import Agent, Crew, Task
from crewai.tools import BaseTool, ToolFailurePolicy, tool
from crewai.tools.tool_failure import ToolExecutionFailedError


def charge_tool(key: keybrake.VaultKey, charged: set[str], hits: list[keybrake.CapHit]) -> BaseTool:
    client = key.stripe(max_network_retries=2)

    @tool("charge_customer")
    def charge_customer(customer: str) -> str:
        """Charge the customer's saved card for this month. The customer is an id such as cus_1."""
        try:
            with keybrake.cap_hits():
                intent = client.v1.payment_intents.create(
                    {"amount": 2000, "currency": "usd", "customer": customer, "confirm": True, "payment_method": "pm_card_visa"},
                    {"idempotency_key": f"{key.label}-{customer}"},
                )
        except keybrake.CapHit as hit:
            hits.append(hit)  # CrewAI passes on the text of an exception, and not the exception
            raise
        charged.add(intent.id)
        return f"{customer} is charged"

    # CrewAI's own policy tells the model of the failure, and the model tries the next customer.
    charge_customer.tool_failure_policy = ToolFailurePolicy.RAISE
    return charge_customer


def run(label: str, budget_usd: float) -> dict[str, object]:
    charged: set[str] = set()
    hits: list[keybrake.CapHit] = []
    with keybrake.vault_key(template="billing", label=label, daily_usd_cap=budget_usd) as key:
        biller = Agent(
            role="Biller",
            goal="Charge every customer whose invoice is due",
            backstory="You work through the list of due invoices.",
            llm="openai/gpt-5-mini",
            tools=[charge_tool(key, charged, hits)],
            max_iter=100,
            max_retry_limit=0,  # a failed task would begin anew, with the first customer
        )
        task = Task(description="Charge every due customer.", expected_output="Who was charged.", agent=biller)
        try:
            Crew(agents=[biller], tasks=[task]).kickoff()
        except ToolExecutionFailedError:
            if not hits:
                raise
    return {"label": label, "charged": len(charged), "stopped_by": hits[0].budget if hits else None}


if __name__ == "__main__":
    print(json.dumps(run(label=sys.argv[1], budget_usd=float(sys.argv[2]))))
