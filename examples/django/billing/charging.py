"""What a request and a job do alike, each with a key of its own."""

import keybrake


def charge_all(key: keybrake.VaultKey, customers: list[str]) -> int:
    stripe = key.stripe(max_network_retries=2)
    for customer in customers:
        stripe.v1.payment_intents.create(
            {"amount": 2000, "currency": "usd", "customer": customer, "confirm": True, "payment_method": "pm_card_visa"},
            {"idempotency_key": f"{key.label}-{customer}"},
        )
    return len(customers)
