import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { once, type Tools } from "../../scripts/integrations/tools.ts";
import type { World } from "../../scripts/integrations/world.ts";

const TIMEOUT_MS = 300_000;
const JOB_MS_MAX = 90_000;
/** What `rails new` leaves out: parts that Debian's packages do not have, and that no job needs. */
const WITHOUT = [
  ..."action-cable action-mailbox action-mailer action-text active-storage bootsnap bundle git javascript".split(" "),
  ..."listen puma spring sprockets test".split(" "),
].map((part) => `--skip-${part}`);
/** Of the example, and of Delayed Job's own generator. */
const FILES = ["Gemfile", "app/jobs/billing_job.rb", "config/initializers/delayed_job.rb", "lib/keybrake.rb"];

const app = ({ kept }: Pick<Tools, "kept">) => join(kept, "shop");

/** An app as `rails new` makes it, with the example's files and a table for its jobs. */
async function install(tools: Tools): Promise<void> {
  const cwd = app(tools);
  if (!existsSync(cwd)) await tools.install(["rails", "new", cwd, "--quiet", ...WITHOUT]);
  for (const file of FILES) await tools.install(["install", "-D", "-m", "644", file, join(cwd, file)]);
  await once(join(cwd, "tmp/migrated"), "delayed_jobs", async () => {
    await tools.install(["bundle", "install", "--local", "--quiet"], { cwd });
    await tools.install(["bin/rails", "generate", "delayed_job:active_record", "--force"], { cwd });
    await tools.install(["bin/rails", "db:migrate"], { cwd });
  });
}

/** Enqueues one job, has a worker work until it has ended `ends` times, and gives what the app has logged. */
async function work(world: World, customers: number, ends: number): Promise<string> {
  const cwd = app(world);
  const log = join(cwd, "log/development.log");
  rmSync(log, { force: true });
  const rails = (code: string) => world.succeeds(["bin/rails", "runner", code], { cwd, timeoutMs: TIMEOUT_MS });
  await rails(`Delayed::Job.delete_all; BillingJob.perform_later(Array.new(${customers}) { |n| "cus_#{n}" }, 2999)`);
  const worker = world.start(["bin/rails", "jobs:work"], { cwd });
  const logged = () => readFileSync(log, "utf8");
  const isDone = () => (logged().match(/ (COMPLETED after|FAILED permanently) /g) ?? []).length >= ends;
  await world.until("the job's end", isDone, JOB_MS_MAX).catch((error) => {
    throw new Error(`${error}: ${worker.output()}`);
  });
  await worker.kill("SIGTERM");
  const { stdout } = await rails("puts Delayed::Job.count");
  if (stdout.trim() !== "0") throw new Error(`${stdout.trim()} jobs are left in the queue`);
  return logged();
}

export const check: IntegrationCheck = {
  stack: "Rails",
  page: "rails",
  ran: "runtime",
  how: "an app of Debian's Rails, with Active Job on a Delayed Job worker and SQLite",
  install,
  version: (tools) => tools.says(["bin/rails", "runner", "puts Rails.version"], { cwd: app(tools) }),
  scenarios: [
    {
      title: "a job is stopped at exactly its cap, discarded and not tried again",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const log = await work(world, 8, 1);
        if (!log.includes("Discarded BillingJob due to a Keybrake::CapHit")) throw new Error("it was not discarded");
        const label = await world.onlyLabel();
        await world.expectCapped({ label, eachCents: 2999, admitted: 5, refused: 1 });
        await world.expectRevoked(label);
      },
    },
    {
      title: "a job that meets Stripe's 503 is tried again with the same key, and charges once",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        world.stripe.failNext(1);
        await work(world, 1, 2);
        const label = await world.onlyLabel();
        world.expectCharged(1, 2999);
        const keys = await world.keys(label);
        if (keys.length !== 1) throw new Error(`${keys.length} keys were issued`);
        await world.expectRevoked(label);
      },
    },
    {
      title: "a job that fails revokes its key",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const declined = { error: { type: "card_error", code: "card_declined", message: "The card was declined." } };
        world.stripe.failNext(1, { status: 402, headers: {}, body: JSON.stringify(declined) });
        const log = await work(world, 1, 1);
        if (!log.includes("FAILED permanently")) throw new Error("it did not fail");
        await world.expectRevoked(await world.onlyLabel());
      },
    },
  ],
};
