"""A billing run as a Metaflow flow: the first step issues the key, the branches share it, an exit hook revokes it."""

import keybrake
from metaflow import FlowSpec, Parameter, Run, current, exit_hook, retry, step


def revoke(run: Run | None) -> None:
    """At the run's end, whichever it is. Metaflow gives no run where there is none yet: then there is no key either."""
    if run is not None:
        keybrake.Keybrake().revoke(run["start"].task["key"].data["id"], "the run ended")


@exit_hook(on_success=[revoke], on_error=[revoke])
class BillingFlow(FlowSpec):
    customers = Parameter("customers", type=int, default=12)
    cents = Parameter("cents", type=int, default=2999)
    budget_usd = Parameter("budget", type=float, default=150.0)

    @step
    def start(self) -> None:
        self.label = f"metaflow-billing/{current.run_id}"
        key = keybrake.Keybrake().issue(template="billing", label=self.label, daily_usd_cap=self.budget_usd)
        self.key = key.as_dict()
        self.everybody = [f"cus_{n}" for n in range(self.customers)]
        self.next(self.charge, foreach="everybody")

    @retry(times=3, minutes_between_retries=0)
    @step
    def charge(self) -> None:
        self.customer = self.input
        key = keybrake.VaultKey.from_dict(self.key)
        try:
            with keybrake.cap_hits():
                intent = key.stripe(max_network_retries=0).v1.payment_intents.create(
                    {
                        "amount": self.cents,
                        "currency": "usd",
                        "customer": self.customer,
                        "confirm": True,
                        "payment_method": "pm_card_visa",
                    },
                    {"idempotency_key": f"{self.label}-{self.customer}"},
                )
            self.payment_intent = intent.id
        except keybrake.CapHit as hit:
            # @retry repeats whatever is raised. A cap that is reached is an outcome of this branch, and no failure of it.
            self.payment_intent = None
            self.stopped_by = hit.message
        self.next(self.join)

    @step
    def join(self, branches) -> None:
        self.charged = [branch.customer for branch in branches if branch.payment_intent]
        self.refused = [branch.customer for branch in branches if not branch.payment_intent]
        self.next(self.end)

    @step
    def end(self) -> None:
        print(f"charged {len(self.charged)}, refused by the cap {len(self.refused)}")


if __name__ == "__main__":
    BillingFlow()
