"""The three Lambda functions of the state machine: functions.issue, functions.charge, functions.revoke."""

from typing import Any

import keybrake


def issue(event: dict[str, Any], context: Any) -> dict[str, object]:
    return keybrake.Keybrake().issue(template="billing", label=event["run"], daily_usd_cap=150, expires_in="1h").as_dict()


def charge(event: dict[str, Any], context: Any) -> str:
    key = keybrake.VaultKey.from_dict(event["key"])
    # Stripe's error that tells of a cap leaves as CapHit: the state machine knows errors by their class's name.
    with keybrake.cap_hits():
        intent = key.stripe(max_network_retries=0).v1.payment_intents.create(
            {
                "amount": event["cents"],
                "currency": "usd",
                "customer": event["customer"],
                "confirm": True,
                "payment_method": "pm_card_visa",
            },
            {"idempotency_key": f"{key.label}-{event['customer']}"},
        )
    return intent.id


def revoke(event: dict[str, Any], context: Any) -> None:
    """By the label, so that a key that a repeated `issue` has left behind goes, too."""
    keybrake.Keybrake().revoke_run(event["run"], "the execution ended")
