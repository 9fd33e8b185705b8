"""Charges the orders of an SQS batch. One key for each invocation; a cap hit is no failure, so SQS brings nothing back."""

import json
from typing import Any

import keybrake
import stripe


def charge(key: keybrake.VaultKey, message_id: str, order: dict[str, Any]) -> None:
    with keybrake.cap_hits():  # Stripe's error that tells of a cap leaves as CapHit
        key.stripe(max_network_retries=0).v1.payment_intents.create(
            {
                "amount": order["cents"],
                "currency": "usd",
                "customer": order["customer"],
                "confirm": True,
                "payment_method": "pm_card_visa",
            },
            # Stays the same when SQS delivers the message again; the request's id does not.
            {"idempotency_key": f"lambda-billing-{message_id}"},
        )


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    failed: list[str] = []
    stopped: list[str] = []
    label = f"lambda-billing/{context.aws_request_id}"
    # Lives at most as long as an invocation may last: a Lambda that is killed by its timeout revokes nothing.
    with keybrake.vault_key(template="billing", label=label, daily_usd_cap=150, expires_in="15m") as key:
        for record in event["Records"]:
            message_id = record["messageId"]
            try:
                charge(key, message_id, json.loads(record["body"]))
            except keybrake.CapHit:
                stopped.append(message_id)
            except stripe.StripeError as error:
                print(f"{message_id}: {error}")
                failed.append(message_id)
    print(json.dumps({"run": label, "stopped_by_cap": stopped}))
    # ReportBatchItemFailures: SQS brings back these, and no others.
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
