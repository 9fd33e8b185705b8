"""A job outside of a request, as from cron: manage.py bill august 100 cus_1 cus_2."""

from argparse import ArgumentParser

import keybrake
from billing.charging import charge_all
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Charges customers within a budget"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run_id")
        parser.add_argument("budget_usd", type=float)
        parser.add_argument("customers", nargs="*")

    def handle(self, *_args: object, **told: object) -> None:
        label = f"job/{told['run_id']}"
        try:
            with keybrake.vault_key(template="billing", label=label, daily_usd_cap=told["budget_usd"]) as key:
                self.stdout.write(f"{charge_all(key, list(told['customers']))} charged")
        except keybrake.CapHit as hit:
            raise CommandError(str(hit)) from hit
