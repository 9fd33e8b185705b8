import { existsSync, writeFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import type { Tools } from "../../scripts/integrations/tools.ts";
import type { World } from "../../scripts/integrations/world.ts";

const CHARGE_CENTS = 2999;
/** Airflow takes a while to come up on a busy machine. */
const TIMEOUT_MS = 900_000;

const settings = (tools: Tools, home: string) => ({
  AIRFLOW_HOME: home,
  AIRFLOW__CORE__DAGS_FOLDER: join(tools.folder, "dags"),
  AIRFLOW__CORE__LOAD_EXAMPLES: "False",
  AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: `sqlite:///${home}/airflow.db`,
});

/** An empty database of Airflow's, made once and copied for each scenario. */
const emptyDatabase = (tools: Tools) => join(tools.kept, "home", "airflow.db");

async function billing(world: World, params: Record<string, number>) {
  const home = world.env["HOME"]!;
  await copyFile(emptyDatabase(world), join(home, "airflow.db"));
  const command = [world.bin("airflow"), "dags", "test", "billing", "--conf", JSON.stringify(params)];
  return world.exec(command, { env: settings(world, home), timeoutMs: TIMEOUT_MS });
}

export const check: IntegrationCheck = {
  stack: "Airflow",
  page: "airflow",
  ran: "runtime",
  how: "airflow dags test, on SQLite",
  install: async (tools) => {
    await tools.python();
    const stamp = join(tools.kept, "home", "migrated");
    if (existsSync(stamp)) return;
    await tools.install([tools.bin("airflow"), "db", "migrate"], { env: settings(tools, join(tools.kept, "home")) });
    writeFileSync(stamp, "");
  },
  version: (tools) =>
    tools.says([tools.bin("python"), "-c", "from importlib.metadata import version as v; print(v('apache-airflow'))"]),
  scenarios: [
    {
      title: "mapped tasks are stopped at exactly the cap, AirflowFailException is not retried, the teardown revokes",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        await billing(world, { customers: 7, budget_usd: 150 });
        const label = await world.onlyLabel();
        await world.expectCapped({ label, eachCents: CHARGE_CENTS, admitted: 5, refused: 2 });
        await world.expectRevoked(label);
      },
    },
    {
      title: "a 503 of the vendor is retried by Airflow, and charges once",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        world.stripe.failNext(1);
        await billing(world, { customers: 2 });
        world.expectCharged(2, 2 * CHARGE_CENTS);
        if (world.stripe.calls.length !== 3) throw new Error(`${world.stripe.calls.length} requests, and not 2 and 1`);
        await world.expectRevoked(await world.onlyLabel());
      },
    },
  ],
};
