"""A key for each request, and for each job that goes on after its request."""

from typing import Annotated

import keybrake
from fastapi import BackgroundTasks, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

app = FastAPI()


class Run(BaseModel):
    customers: list[Annotated[str, Field(pattern="^cus_")]]
    budget_usd: float = Field(gt=0, le=500)


async def charge_all(key: keybrake.VaultKey, customers: list[str]) -> int:
    stripe = key.stripe(max_network_retries=2)
    for customer in customers:
        await stripe.v1.payment_intents.create_async(
            {"amount": 2000, "currency": "usd", "customer": customer, "confirm": True, "payment_method": "pm_card_visa"},
            {"idempotency_key": f"{key.label}-{customer}"},
        )
    return len(customers)


@app.exception_handler(keybrake.CapHit)
async def told_of_cap(_request: Request, hit: keybrake.CapHit) -> JSONResponse:
    # Not 429 and not 5xx: clients and load balancers send those again.
    return JSONResponse({"stopped_by": hit.budget, "message": hit.message}, status_code=402)


@app.post("/runs/{run_id}")
async def run(run_id: str, body: Run) -> dict[str, int]:
    """Within the request. The key is revoked before the answer leaves, also where the handler fails."""
    async with keybrake.vault_key(template="billing", label=f"run/{run_id}", daily_usd_cap=body.budget_usd) as key:
        return {"charged": await charge_all(key, body.customers)}


@app.post("/jobs/{run_id}", status_code=202)
async def start_job(run_id: str, body: Run, background: BackgroundTasks) -> dict[str, str]:
    """After the answer. A key that belongs to the request would be revoked by then: the job has its own."""
    background.add_task(job, run_id, body)
    return {"label": f"job/{run_id}"}


async def job(run_id: str, body: Run) -> None:
    try:
        async with keybrake.vault_key(template="billing", label=f"job/{run_id}", daily_usd_cap=body.budget_usd) as key:
            await charge_all(key, body.customers)
    except keybrake.CapHit as hit:
        print(f"job/{run_id} is over: {hit}")
