"""Calls the functions of billing.py with .local(): their own code, in this process, without Modal's cloud."""

import sys
from concurrent.futures import ThreadPoolExecutor

import billing
import keybrake

CENTS = 2999


def invocations() -> None:
    items = {"january": CENTS, "february": CENTS}
    with ThreadPoolExecutor(8) as pool:
        for answer in pool.map(lambda number: billing.bill_customer.local(f"cus_{number}", items), range(4)):
            print(answer)


def batch() -> None:
    with keybrake.vault_key(template="billing", label="modal-batch/b1", daily_usd_cap=150) as key:
        with ThreadPoolExecutor(8) as pool:
            for answer in pool.map(lambda n: billing.charge_with.local(key.as_dict(), f"item_{n}", CENTS), range(12)):
                print(answer)


def container() -> None:
    biller = billing.Biller(name="c1")
    for number in range(5):
        if number == 2:  # as if the key were about to expire
            billing.RENEW_BEFORE = billing.timedelta(days=1)
        print(biller.charge.local(f"item_{number}", CENTS))
    # In Modal's cloud the exit hook does it; a local object has nobody who would call that.
    biller.close()


if __name__ == "__main__":
    {"invocations": invocations, "batch": batch, "container": container}[sys.argv[1]]()
