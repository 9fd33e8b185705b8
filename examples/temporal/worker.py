"""A worker: `python worker.py`. It has the control token, for the activities that issue and revoke."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

from temporalio.client import Client
from temporalio.worker import Worker

from billing import Billing, charge, issue, revoke


async def main() -> None:
    client = await Client.connect(os.environ.get("TEMPORAL_ADDRESS", "127.0.0.1:7233"))
    with ThreadPoolExecutor(8) as threads:
        worker = Worker(
            client,
            task_queue="billing",
            workflows=[Billing],
            activities=[issue, charge, revoke],
            activity_executor=threads,
        )
        print("working", flush=True)
        await worker.run()


asyncio.run(main())
