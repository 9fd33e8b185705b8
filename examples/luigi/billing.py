"""A billing run as Luigi tasks: one key for all worker processes, and no second attempt where its cap is reached."""

import argparse
import json
import pathlib

import keybrake
import luigi
from luigi.parameter import ParameterVisibility

OUT = pathlib.Path("out")


class OfRun(luigi.Task):
    """What every task of a run knows. The key is private: neither task ids nor the scheduler's page have it."""

    run_name = luigi.Parameter()
    cents = luigi.IntParameter(significant=False)
    key = luigi.DictParameter(significant=False, visibility=ParameterVisibility.PRIVATE)

    @property
    def vault_key(self) -> keybrake.VaultKey:
        return keybrake.VaultKey.from_dict(self.key)


class Charge(OfRun):
    """One customer: charged, which their output says for ever, or refused by the cap, which holds for this key alone."""

    customer = luigi.Parameter()
    retry_count = 4

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget(str(OUT / self.run_name / f"{self.customer}.json"))

    @property
    def refused(self) -> luigi.LocalTarget:
        return luigi.LocalTarget(str(OUT / self.run_name / f"{self.customer}.{self.vault_key.id}.refused"))

    def complete(self) -> bool:
        return self.output().exists() or self.refused.exists()

    def run(self) -> None:
        try:
            with keybrake.cap_hits():
                intent = self.vault_key.stripe(max_network_retries=0).v1.payment_intents.create(
                    {
                        "amount": self.cents,
                        "currency": "usd",
                        "customer": self.customer,
                        "confirm": True,
                        "payment_method": "pm_card_visa",
                    },
                    {"idempotency_key": f"{self.run_name}-{self.customer}"},
                )
        except keybrake.CapHit as hit:
            # Not raised: Luigi would try again, since it has no failures that are final.
            with self.refused.open("w") as file:
                file.write(hit.message)
            return
        with self.output().open("w") as file:
            json.dump({"payment_intent": intent.id}, file)


class Bill(OfRun, luigi.WrapperTask):
    customers = luigi.ListParameter(significant=False)

    def requires(self):
        own = {"run_name": self.run_name, "cents": self.cents, "key": self.key}
        return [Charge(customer=customer, **own) for customer in self.customers]


def bill(run_name: str, customers: list[str], cents: int, budget_usd: float, workers: int) -> dict[str, object]:
    """The key is revoked when the workers are done, fail or are interrupted."""
    with keybrake.vault_key(template="billing", label=f"luigi-billing/{run_name}", daily_usd_cap=budget_usd) as key:
        run = Bill(run_name=run_name, cents=cents, key=key.as_dict(), customers=customers)
        is_done = luigi.build([run], workers=workers, local_scheduler=True)
        refused = [task.customer for task in run.requires() if task.refused.exists()]
    return {"is_done": is_done, "refused": refused}


if __name__ == "__main__":
    flags = argparse.ArgumentParser()
    flags.add_argument("run")
    flags.add_argument("--customers", type=int, default=12)
    flags.add_argument("--cents", type=int, default=2999)
    flags.add_argument("--budget", type=float, default=150)
    flags.add_argument("--workers", type=int, default=4)
    told = flags.parse_args()
    names = [f"cus_{n}" for n in range(told.customers)]
    print(json.dumps(bill(told.run, names, told.cents, told.budget, told.workers)))
