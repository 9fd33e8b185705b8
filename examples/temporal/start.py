"""Starts a run and waits for it: `python start.py RUN`. Ctrl-C cancels the workflow."""

import argparse
import asyncio
import json
import os

from temporalio.client import Client

from billing import Billing, Run


async def main() -> None:
    flags = argparse.ArgumentParser()
    flags.add_argument("run")
    flags.add_argument("--customers", type=int, default=12)
    flags.add_argument("--cents", type=int, default=2999)
    flags.add_argument("--budget", type=float, default=150)
    told = flags.parse_args()
    run = Run([f"cus_{n}" for n in range(told.customers)], told.cents, told.budget)
    client = await Client.connect(os.environ.get("TEMPORAL_ADDRESS", "127.0.0.1:7233"))
    handle = await client.start_workflow(Billing.run, run, id=told.run, task_queue="billing")
    try:
        print(json.dumps(await handle.result()))
    except asyncio.CancelledError:
        await handle.cancel()
        raise


asyncio.run(main())
