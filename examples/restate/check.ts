import { join } from "node:path";
import { expectSame } from "../../scripts/integrations/books.ts";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import type { Running } from "../../scripts/integrations/processes.ts";
import type { World } from "../../scripts/integrations/world.ts";

const NODE = "node_modules/.bin/node";
const SERVER = "node_modules/.bin/restate-server";
const CENTS = 2000;

export const check: IntegrationCheck = {
  stack: "Restate",
  page: "restate",
  ran: "runtime",
  how: "restate-server on this machine, and a service of its TypeScript SDK",
  install: (tools) => tools.npm(),
  version: async (tools) => {
    const told = await tools.says([SERVER, "--version"]);
    return /(\d+\.\d+\.\d+)/.exec(told)?.[1] ?? told;
  },
  scenarios: [
    {
      title: "charges that run at once are stopped at exactly the run's cap, and none is tried again for it",
      run: async (world) => {
        const restate = await startRestate(world);
        const label = "restate-billing/41";
        const told = await restate.result(await restate.send(orderOf("41", 12, 100)));
        await world.expectCapped({ label, eachCents: CENTS, admitted: 5, refused: 7 });
        expectSame("the run's answer", told, { label, charged: 5, failed: ["stopped by daily_usd_cap"] });
        await world.expectRevoked(label);
      },
    },
    {
      title: "a 503 of Stripe's is tried again by Restate and charged once",
      run: async (world) => {
        const restate = await startRestate(world);
        world.stripe.failNext(2);
        const label = "restate-billing/42";
        const told = await restate.result(await restate.send(orderOf("42", 3, 100)));
        expectSame("the run's answer", told, { label, charged: 3, failed: [] });
        expectSame("tries", world.stripe.calls.length, 5);
        world.expectCharged(3, 3 * CENTS);
        await world.expectRevoked(label);
      },
    },
    {
      title: "a service that is killed within a run goes on with the same key, and charges nothing twice",
      run: async (world) => {
        const restate = await startRestate(world);
        const resume = world.stripe.pause();
        const id = await restate.send(orderOf("43", 4, 100));
        await world.until("four charges", () => world.stripe.calls.length === 4);
        await restate.service.kill("SIGKILL");
        resume();
        restate.startService();
        const label = "restate-billing/43";
        expectSame("the run's answer", await restate.result(id), { label, charged: 4, failed: [] });
        world.expectCharged(4, 4 * CENTS);
        expectSame("keys", (await world.keys(label)).length, 1);
        await world.expectRevoked(label);
      },
    },
    {
      title: "a run that is cancelled is revoked, and its charges are tried no more",
      run: async (world) => {
        const restate = await startRestate(world);
        world.stripe.failNext(1000);
        const id = await restate.send(orderOf("44", 3, 100));
        await world.until("three tries", () => world.stripe.calls.length >= 3);
        await restate.cancel(id);
        await world.until("the end of all invocations", async () => (await restate.openInvocations()) === 0);
        world.expectCharged(0, 0);
        await world.expectRevoked("restate-billing/44");
      },
    },
  ],
};

interface Restate {
  readonly service: Running;
  startService(): Running;
  /** Starts the run. Returns the id of its invocation. */
  send(order: object): Promise<string>;
  /** What the run returns, at its end. */
  result(id: string): Promise<unknown>;
  cancel(id: string): Promise<void>;
  openInvocations(): Promise<number>;
}

/** A server with its data in the scenario's home, and the example's service, registered with it. */
async function startRestate(world: World): Promise<Restate> {
  const [node, ingressPort, adminPort, servicePort] = await Promise.all([
    world.freePort(),
    world.freePort(),
    world.freePort(),
    world.freePort(),
  ]);
  const env = {
    RESTATE_BIND_PORT: String(node),
    RESTATE_INGRESS__BIND_PORT: String(ingressPort),
    RESTATE_ADMIN__BIND_PORT: String(adminPort),
    RESTATE_BIND_IP: "127.0.0.1",
    RESTATE_LISTEN_MODE: "tcp",
    RESTATE_DISABLE_TELEMETRY: "true",
    // As many as it has by itself take a minute to start on a small machine.
    RESTATE_DEFAULT_NUM_PARTITIONS: "1",
    RESTATE_BASE_DIR: join(world.env["HOME"]!, "restate"),
  };
  const server = world.start([SERVER], { env });
  const startService = () => world.start([NODE, "service.ts"], { env: { PORT: String(servicePort) } });
  const service = startService();
  const ingress = `http://127.0.0.1:${ingressPort}`;
  const admin = `http://127.0.0.1:${adminPort}`;
  const isHealthy = () => ask(`${admin}/health`).then(Boolean, () => false);
  await world.until("Restate", isHealthy).catch((error) => {
    throw new Error(`${error.message}:\n${server.output()}`);
  });
  await world.until("the service", () => service.output().includes("listening on"));
  await ask(`${admin}/deployments`, "POST", { uri: `http://127.0.0.1:${servicePort}` });
  return {
    service,
    startService,
    send: async (order) => JSON.parse(await ask(`${ingress}/billing/bill/send`, "POST", order)).invocationId as string,
    result: async (id) => JSON.parse(await ask(`${ingress}/restate/invocation/${id}/attach`)),
    cancel: async (id) => void (await ask(`${admin}/invocations/${id}/cancel`, "PATCH")),
    openInvocations: async () => {
      const query = "select id from sys_invocation where status != 'completed'";
      return (JSON.parse(await ask(`${admin}/query`, "POST", { query })).rows as unknown[]).length;
    },
  };
}

function orderOf(run: string, customers: number, budgetUsd: number): object {
  return { run, customers: Array.from({ length: customers }, (_, index) => `cus_${index}`), cents: CENTS, budgetUsd };
}

/** @throws Error with the answer where it is not a good one. */
async function ask(url: string, method = "GET", body?: object): Promise<string> {
  const answer = await fetch(url, {
    method,
    headers: { "content-type": "application/json", accept: "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text}`);
  return text || "{}";
}
