import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import type { Tools } from "../../scripts/integrations/tools.ts";
import type { World } from "../../scripts/integrations/world.ts";

const CHARGE_CENTS = 2999;
/** Virtual machine, worker and starter take a while to come up on a busy machine. */
const TIMEOUT_MS = 900_000;
/** The server that Temporal's own SDKs are tested with, from Maven Central. */
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>example</groupId><artifactId>temporal-server</artifactId><version>1</version>
<dependencies><dependency>
  <groupId>io.temporal</groupId><artifactId>temporal-test-server</artifactId><version>1.32.1</version>
</dependency></dependencies></project>
`;

const jars = (tools: Tools) => join(tools.kept, "server", "jars");

/** The jars of Temporal's test server. Needs Maven and Java. */
async function installServer(tools: Tools): Promise<void> {
  const folder = join(tools.kept, "server");
  if (existsSync(join(folder, "installed"))) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "pom.xml"), POM);
  const command = ["mvn", "--quiet", "--batch-mode", "dependency:copy-dependencies", "-DoutputDirectory=jars"];
  await tools.install(command, { cwd: folder, timeoutMs: 1_800_000 });
  writeFileSync(join(folder, "installed"), "");
}

async function startTemporal(world: World) {
  const port = String(await world.freePort());
  const server = world.start([
    "java",
    "-Xmx256m",
    "-cp",
    `${jars(world)}/*`,
    "io.temporal.testserver.TestServer",
    port,
  ]);
  const env = { TEMPORAL_ADDRESS: `127.0.0.1:${port}` };
  await world
    .until("a server that listens", () => answers(Number(port)), TIMEOUT_MS)
    .catch((error) => {
      throw new Error(`${error}: ${server.output()}`);
    });
  const worker = world.start([world.bin("python"), "worker.py"], { env });
  await world.until("a worker", () => worker.output().includes("working"), TIMEOUT_MS);
  return { start: [world.bin("python"), "start.py"], options: { env, timeoutMs: TIMEOUT_MS } };
}

async function answers(port: number): Promise<boolean> {
  try {
    (await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } })).end();
    return true;
  } catch {
    return false;
  }
}

export const check: IntegrationCheck = {
  stack: "Temporal",
  page: "temporal",
  ran: "runtime",
  how: "a worker of the Python SDK on Temporal's test server",
  install: async (tools) => {
    await tools.python();
    await installServer(tools);
  },
  version: (tools) =>
    tools.says([tools.bin("python"), "-c", "from importlib.metadata import version as v; print(v('temporalio'))"]),
  scenarios: [
    {
      title:
        "activities in parallel are stopped at exactly the cap, and a non-retryable ApplicationError is not retried",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const { start, options } = await startTemporal(world);
        const { stdout } = await world.succeeds([...start, "nightly-1", "--customers", "12"], options);
        if (!stdout.includes('{"charged": 5, "refused": 7}')) throw new Error(`the workflow says ${stdout}`);
        const label = await world.onlyLabel();
        await world.expectCapped({ label, eachCents: CHARGE_CENTS, admitted: 5, refused: 7 });
        await world.expectRevoked(label);
      },
    },
    {
      title: "a 503 of the vendor is retried by Temporal and charges once; a cancelled workflow revokes its key",
      timeoutMs: TIMEOUT_MS,
      run: async (world) => {
        const { start, options } = await startTemporal(world);
        world.stripe.failNext(2);
        await world.succeeds([...start, "nightly-2", "--customers", "3"], options);
        world.expectCharged(3, 3 * CHARGE_CENTS);
        if (world.stripe.calls.length !== 5) throw new Error(`${world.stripe.calls.length} requests, and not 3 and 2`);
        await world.expectRevoked("temporal-billing/nightly-2");
        const resume = world.stripe.pause();
        const run = world.start([...start, "nightly-3", "--customers", "3"], options);
        await world.until("three charges on their way", () => world.stripe.calls.length === 8, TIMEOUT_MS);
        await run.kill("SIGINT");
        await world.until(
          "the key to be revoked",
          async () => (await world.keys("temporal-billing/nightly-3")).every(({ status }) => status === "revoked"),
          TIMEOUT_MS,
        );
        resume();
      },
    },
  ],
};
