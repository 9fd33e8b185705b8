/** Puts the charges of a run into the queue, waits for all of them, and revokes the run's key. */
import { Queue, QueueEvents } from "bullmq";
import { Redis } from "ioredis";
import { Keybrake } from "keybrake";
import type { Charge } from "./worker.ts";

const connection = new Redis(process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379", { maxRetriesPerRequest: null });
const queue = new Queue<Charge, string>("billing", { connection });
queue.setMaxListeners(0); // Each job that is waited for is a listener.
const events = new QueueEvents("billing", { connection });
const keybrake = new Keybrake();

const [run = "1", customers = "12", budgetUsd = "100"] = process.argv.slice(2);
const label = `bullmq-billing/${run}`;
const cancelled = new Promise<never>((_, reject) => {
  process.once("SIGTERM", () => reject(new Error("cancelled")));
});

try {
  await keybrake.withVaultKey({ template: "billing", label, daily_usd_cap: budgetUsd }, async (key) => {
    const jobs = await queue.addBulk(
      Array.from({ length: Number(customers) }, (_, index) => ({
        name: "charge",
        data: { key: key.toJSON(), customer: `cus_${index}`, cents: 2000 },
        opts: {
          jobId: `${label}-cus_${index}`,
          attempts: 5,
          backoff: { type: "exponential", delay: 1000, jitter: 0.5 },
          // A finished job would keep its data, and with it the key, in Redis.
          removeOnComplete: true,
          removeOnFail: true,
        },
      })),
    );
    const done = await Promise.race([Promise.allSettled(jobs.map((job) => job.waitUntilFinished(events))), cancelled]);
    const failed = done.flatMap((each) => (each.status === "rejected" ? [String(each.reason.message)] : []));
    console.log(JSON.stringify({ label, charged: done.length - failed.length, failed: [...new Set(failed)] }));
  });
} finally {
  await Promise.all([queue.close(), events.close()]);
  await connection.quit();
}
