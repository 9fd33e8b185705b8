import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { once, type Tools } from "../../scripts/integrations/tools.ts";
import type { World } from "../../scripts/integrations/world.ts";

const CENTS = 2999;
const WORKFLOW = "keybrakeBilling1";
/** n8n is some two thousand packages, and SQLite's binding is compiled. */
const INSTALL_MS_MAX = 1_800_000;
const TIMEOUT_MS = 600_000;

/** n8n's expressions run in isolated-vm, which has no build for the Node of many a machine: it gets one of its own. */
const NODE = { name: `node-${process.platform}-${process.arch}`, version: "24.9.0" };
const NODE_BIN = `node_modules/${NODE.name}/bin/node`;

const MANIFEST = JSON.stringify({
  private: true,
  dependencies: { n8n: "1.123.81", [NODE.name]: NODE.version },
  // Of the spreadsheet node, which no example has; n8n takes it from a host of its own, not from the registry.
  overrides: { xlsx: "0.18.5" },
});

async function installN8n({ folder, install }: Tools): Promise<void> {
  const options = { timeoutMs: INSTALL_MS_MAX };
  // The stamp lies within: it goes with what it speaks of.
  await once(join(folder, "node_modules/.installed-from"), MANIFEST, async () => {
    writeFileSync(join(folder, "package.json"), MANIFEST);
    const flags = ["--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"];
    await install(["npm", "install", ...flags], options);
    await install(["npm", "rebuild", "sqlite3", "--loglevel=error"], options);
  });
}

/** Nothing of n8n's leaves this machine. */
const QUIET = {
  N8N_DIAGNOSTICS_ENABLED: "false",
  N8N_VERSION_NOTIFICATIONS_ENABLED: "false",
  N8N_TEMPLATES_ENABLED: "false",
  N8N_PERSONALIZATION_ENABLED: "false",
  N8N_DIAGNOSTICS_CONFIG_FRONTEND: "",
  N8N_DIAGNOSTICS_CONFIG_BACKEND: "",
  EXTERNAL_FRONTEND_HOOKS_URLS: "",
  N8N_LISTEN_ADDRESS: "127.0.0.1",
};

/** Imports the workflow into an n8n of its own and executes it. Its execution is the first one there. */
async function execute(world: World, workflow = "billing.json"): Promise<void> {
  const folder = join(world.env["HOME"]!, "n8n");
  mkdirSync(folder);
  const env = { ...QUIET, N8N_USER_FOLDER: folder };
  const n8n = [NODE_BIN, "node_modules/n8n/bin/n8n"];
  await world.succeeds([...n8n, "import:workflow", `--input=${workflow}`], { env, timeoutMs: TIMEOUT_MS });
  await world.succeeds([...n8n, "execute", `--id=${WORKFLOW}`], { env, timeoutMs: TIMEOUT_MS });
}

/** The workflow with this many customers. */
function withCustomers(world: World, customers: number): string {
  const text = readFileSync(join(world.folder, "billing.json"), "utf8");
  const fewer = text.replace("length: 12", `length: ${customers}`);
  if (fewer === text) throw new Error("billing.json does not say how many customers there are");
  const file = join(world.env["HOME"]!, "fewer.json");
  writeFileSync(file, fewer);
  return file;
}

export const check: IntegrationCheck = {
  stack: "n8n",
  page: "n8n",
  ran: "runtime",
  how: `import:workflow and execute of n8n's own command, on Node ${NODE.version}`,
  install: installN8n,
  version: (tools) => tools.says(["node", "-p", "require('./node_modules/n8n/package.json').version"]),
  scenarios: [
    {
      title:
        "twelve charges at once are stopped at exactly the run's cap, none is sent again, and the last node revokes",
      timeoutMs: 2 * TIMEOUT_MS,
      run: async (world) => {
        await execute(world);
        const label = "n8n-billing/1";
        await world.expectCapped({ label, eachCents: CENTS, admitted: 5, refused: 7 });
        await world.expectRevoked(label);
      },
    },
    {
      title: "a 503 of Stripe's goes on as an item: the others are charged once, and the last node revokes",
      timeoutMs: 2 * TIMEOUT_MS,
      run: async (world) => {
        world.stripe.failNext(1);
        await execute(world, withCustomers(world, 3));
        if (world.stripe.calls.length !== 3) throw new Error(`Stripe had ${world.stripe.calls.length} calls`);
        world.expectCharged(2, 2 * CENTS);
        await world.expectRevoked("n8n-billing/1");
      },
    },
  ],
};
