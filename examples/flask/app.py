"""A key for each request, and for each job of the command line."""

import click
import keybrake
from flask import Flask, Response, jsonify, request

app = Flask(__name__)


def charge_all(key: keybrake.VaultKey, customers: list[str]) -> int:
    stripe = key.stripe(max_network_retries=2)
    for customer in customers:
        stripe.v1.payment_intents.create(
            {"amount": 2000, "currency": "usd", "customer": customer, "confirm": True, "payment_method": "pm_card_visa"},
            {"idempotency_key": f"{key.label}-{customer}"},
        )
    return len(customers)


@app.errorhandler(keybrake.CapHit)
def told_of_cap(hit: keybrake.CapHit) -> tuple[Response, int]:
    # Not 429 and not 5xx: clients and load balancers send those again.
    return jsonify(stopped_by=hit.budget, message=hit.message), 402


@app.post("/runs/<run_id>")
def run(run_id: str) -> dict[str, int]:
    """Within the request. The key is revoked before the answer leaves, also where the view fails."""
    body = request.get_json()
    with keybrake.vault_key(template="billing", label=f"run/{run_id}", daily_usd_cap=body["budget_usd"]) as key:
        return {"charged": charge_all(key, body["customers"])}


@app.cli.command("bill")
@click.argument("run_id")
@click.argument("budget_usd", type=float)
@click.argument("customers", nargs=-1)
def bill(run_id: str, budget_usd: float, customers: list[str]) -> None:
    """A job outside of a request, as from cron: flask bill august 100 cus_1 cus_2."""
    try:
        with keybrake.vault_key(template="billing", label=f"job/{run_id}", daily_usd_cap=budget_usd) as key:
            charge_all(key, list(customers))
    except keybrake.CapHit as hit:
        raise click.ClickException(str(hit)) from hit
