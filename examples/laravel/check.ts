import { rmSync } from "node:fs";
import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import type { World } from "../../scripts/integrations/world.ts";

const TIMEOUT_MS = 300_000;
const PACKAGES = "apt-get install php-laravel-framework php-guzzlehttp-guzzle php-sqlite3";

const artisan = (...args: readonly string[]) => ["php", "check-app.php", ...args];

/** An empty queue; Laravel's own generators make its tables. */
async function emptyQueue(world: World): Promise<void> {
  for (const folder of ["database", "bootstrap"]) rmSync(join(world.folder, folder), { recursive: true, force: true });
  await world.succeeds(["mkdir", "-p", "database/migrations"]);
  for (const command of [["queue:table"], ["queue:failed-table"], ["migrate", "--force"]])
    await world.succeeds(artisan(...command));
}

/** Dispatches a run and has a worker try jobs `tries` times; gives what is then in the queue and what has failed for good. */
async function work(world: World, run: string, customers: number, tries: number): Promise<unknown> {
  await emptyQueue(world);
  await world.succeeds(artisan("dispatch", run, `${customers}`));
  await world.succeeds(artisan("queue:work", "--sleep=1", `--max-jobs=${tries}`), { timeoutMs: TIMEOUT_MS });
  return JSON.parse((await world.succeeds(artisan("books"))).stdout);
}

function expectBooks(found: unknown, failed: readonly string[]): void {
  if (!Bun.deepEquals(found, { waiting: 0, failed }))
    throw new Error(`the queue's tables say ${JSON.stringify(found)}`);
}

export const check: IntegrationCheck = {
  stack: "Laravel",
  page: "laravel",
  ran: "runtime",
  how: "Debian's Laravel, a worker of its queue on SQLite",
  install: async (tools) => {
    await tools.install(artisan("--version")).catch((error) => {
      throw new Error(`is Laravel installed? ${PACKAGES}\n${error}`);
    });
  },
  version: async (tools) => (await tools.says(artisan("--version"))).replace("Laravel Framework ", ""),
  scenarios: [
    {
      title: "a job is stopped at exactly its cap, fails for good and is not tried again",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        expectBooks(await work(world, "01", 8, 1), ["App\\Keybrake\\CapHit"]);
        await world.expectCapped({ label: "laravel-billing/01", eachCents: 2999, admitted: 5, refused: 1 });
        await world.expectRevoked("laravel-billing/01");
      },
    },
    {
      title: "a job that meets Stripe's 503 is tried again with the same key, and charges once",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        world.stripe.failNext(1);
        expectBooks(await work(world, "02", 1, 2), []);
        world.expectCharged(1, 2999);
        const keys = await world.keys("laravel-billing/02");
        if (keys.length !== 1) throw new Error(`${keys.length} keys were issued`);
        await world.expectRevoked("laravel-billing/02");
      },
    },
    {
      title: "a job that has no try left revokes its key",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        world.stripe.failNext(3);
        expectBooks(await work(world, "03", 1, 3), ["Illuminate\\Http\\Client\\RequestException"]);
        await world.expectRevoked("laravel-billing/03");
      },
    },
  ],
};
