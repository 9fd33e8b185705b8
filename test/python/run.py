"""One official SDK with one set of options makes the same call with one key after another, and prints what it gave.

Argument: JSON of { sdk, options, accountSid, runs: [{ name, url, key, calls }] }. Output: JSON, outcomes by the run's name.
"""

import json
import sys


def stripe_calls(options):
    import stripe

    stripe.max_network_retries = options.get("max_network_retries", stripe.max_network_retries)

    def client_of(run):
        def call():
            stripe.api_key = run["key"]
            stripe.api_base = run["url"] + "/stripe"
            return stripe.PaymentIntent.create(
                amount=800, currency="usd", confirm=True, payment_method="pm_card_visa"
            )

        return call

    return client_of, lambda error: (error.http_status, str(error))


def stripe_client_calls(options):
    import stripe

    def client_of(run):
        addresses = {"api": run["url"] + "/stripe"}
        client = stripe.StripeClient(run["key"], base_addresses=addresses, **options)
        intent = {"amount": 800, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa"}
        return lambda: client.v1.payment_intents.create(intent)

    return client_of, lambda error: (error.http_status, str(error))


def twilio_calls(options):
    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client

    def client_of(run):
        http_client = TwilioHttpClient(**options) if options else None
        client = Client(plan["accountSid"], run["key"], http_client=http_client)
        client.api.base_url = run["url"] + "/twilio"
        return lambda: client.messages.create(to="+14155550100", from_="+14155550199", body="hello")

    return client_of, lambda error: (error.status, str(error))


def resend_calls(_options):
    import resend

    def client_of(run):
        def call():
            resend.api_key = run["key"]
            resend.api_url = run["url"] + "/resend"
            mail = {"from": "a@example.com", "to": "b@example.org", "subject": "hi", "text": "hello"}
            return resend.Emails.send(mail)

        return call

    return client_of, lambda error: (int(error.code), str(error))


CLIENTS = {
    "stripe": stripe_calls,
    "StripeClient": stripe_client_calls,
    "twilio": twilio_calls,
    "resend": resend_calls,
}


def outcome_of(call, told_by):
    try:
        call()
    except Exception as error:  # whatever the SDK raises is what its user gets
        status, said = told_by(error)
        return {"ok": False, "error": type(error).__name__, "status": status, "said": said}
    return {"ok": True}


plan = json.loads(sys.argv[1])
client_of, told_by = CLIENTS[plan.get("surface", plan["sdk"])](plan["options"])
outcomes = {}
for run in plan["runs"]:
    call = client_of(run)
    outcomes[run["name"]] = [outcome_of(call, told_by) for _ in range(run["calls"])]
print(json.dumps(outcomes))
