import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { freePort } from "../harness/free-port.ts";
import { type Bench, eventually, type IssuedKey, makeBench, type RunningKeybrake } from "../harness/keybrake.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { charge, issueChargeKey } from "../harness/stripe-charge.ts";
import { setVendor } from "../harness/vendor-account.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

/** A dead server's lease is 15 s, and living ones look every 5 s. */
const SWEPT_WITHIN_MS = 30_000;

let bench: Bench;
let vendor: VendorDouble;
let answerSlowCalls: () => void;
let token: string;
let living: RunningKeybrake;

beforeAll(async () => {
  bench = await makeBench();
  const slow = new Promise<void>((done) => {
    answerSlowCalls = done;
  });
  vendor = await startVendorDouble(async (request) => {
    if (request.body.includes("slow")) await slow;
    return request.body.includes("broken") ? { status: 500, body: "{}" } : succeededIntent(request);
  });
  await setVendor(bench, "stripe", { origin: vendor.origin, secret: "sk_test_resolve_real_secret" });
  ({ token } = await bench.json<{ token: string }>(["token", "issue", "--role", "admin"]));
});

afterAll(async () => {
  await bench.stop();
  await vendor.stop();
});

interface Row {
  readonly id: string;
  readonly state: string;
  readonly flag: string | null;
  readonly idempotency_key_sent?: string | null;
}

const issueKey = (label: string) => issueChargeKey(bench, "10", label);

interface SlowCall {
  /** Undefined where the connection broke. */
  readonly answer: Promise<Response | undefined>;
}

/** A call that the vendor has and does not answer yet. */
async function hang(server: RunningKeybrake, key: IssuedKey): Promise<SlowCall> {
  const before = vendor.requests.length;
  const answer = charge(server, key, "slow").catch(() => undefined);
  await eventually(() => (vendor.requests.length > before ? true : undefined));
  return { answer };
}

const rowsOf = (key: IssuedKey) => bench.json<Row[]>(["audit", "--key", key.id]);
const listed = (label: string) => bench.json<Row[]>(["resolve", "--run", label]);

/** Of the key's one call, asked of a server: for asking often. */
async function stateOf(key: IssuedKey): Promise<string> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${living.url}/audit?key_id=${key.id}`, { headers });
  return ((await answer.json()) as { rows: Row[] }).rows[0]!.state;
}

async function usedOf(key: IssuedKey): Promise<string> {
  const { spend } = await bench.json<{ spend: { budgets: { used: string }[] } }>(["key", "show", key.id]);
  return spend.budgets[0]!.used;
}

describe("two servers work on one data directory, each with a call at a slow vendor, and one is killed with -9:", () => {
  let deadKey: IssuedKey;
  let livingKey: IssuedKey;
  let livingCall: SlowCall;

  beforeAll(async () => {
    [deadKey, livingKey] = [await issueKey("dead/1"), await issueKey("living/1")];
    const killed = await bench.serve();
    living = await bench.serve([], await freePort());
    const lost = await hang(killed, deadKey);
    livingCall = await hang(living, livingKey);
    await killed.kill("SIGKILL");
    expect(await lost.answer).toBeUndefined();
    await bench.serve();
  });

  test("until its lease has run out its call is held; then it is unresolved and listed, and its cap use is kept", async () => {
    expect(await usedOf(deadKey)).toBe("5.00");
    const startedMs = performance.now();
    while ((await stateOf(deadKey)) === "held" && performance.now() - startedMs < SWEPT_WITHIN_MS) {
      await Bun.sleep(100);
    }
    const rows = await rowsOf(deadKey);
    expect(rows).toMatchObject([{ state: "unresolved", flag: "owner_gone" }]);
    const sent = vendor.requests.map(({ headers }) => headers["idempotency-key"]);
    expect(sent).toContain(`kb_${rows[0]!.id}`);
    expect(await listed("dead/1")).toMatchObject([{ id: rows[0]!.id, idempotency_key_sent: `kb_${rows[0]!.id}` }]);
    expect(await usedOf(deadKey)).toBe("5.00");
  }, 60_000);

  test("the other one's hold is not swept, cannot be resolved, and ends as its vendor says", async () => {
    expect(await listed("living/1")).toEqual([]);
    const [row] = await rowsOf(livingKey);
    expect(row).toMatchObject({ state: "held" });
    const refused = await bench.cli(["resolve", row!.id, "--released"]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("still at the vendor")]);
    answerSlowCalls();
    expect((await livingCall.answer)?.status).toBe(200);
    await eventually(async () => ((await rowsOf(livingKey))[0]!.state === "settled" ? true : undefined));
    expect(await usedOf(livingKey)).toBe("5.00");
  });
});

describe("a running server's cap is used up by calls of which nobody knows what became, and", () => {
  let server: RunningKeybrake;
  beforeAll(async () => {
    server = await bench.serve([], await freePort());
  });

  /** The ids of two calls that the vendor answered with 500; a third one is refused. */
  async function usedUp(key: IssuedKey, label: string): Promise<readonly [string, string]> {
    for (let call = 0; call < 2; call++) expect((await charge(server, key, "broken")).status).toBe(500);
    expect((await charge(server, key)).status).toBe(429);
    const [first, second] = await eventually(async () => {
      const rows = await listed(label);
      return rows.length === 2 ? rows : undefined;
    });
    return [first!.id, second!.id];
  }

  test("keybrake resolve --released on its data directory frees the cap for the very next call", async () => {
    const key = await issueKey("released/1");
    const [first] = await usedUp(key, "released/1");
    const done = await bench.cli(["resolve", first, "--released", "--reason", "no trace of it"]);
    expect(done).toMatchObject({ code: 0 });
    expect(done.stdout).toContain("daily_usd_cap: $10.00 → $5.00 of $10.00 used");
    expect((await charge(server, key)).status).toBe(200);
    expect((await charge(server, key)).status).toBe(429);
    expect((await bench.cli(["resolve", first, "--released"])).code).toBe(1);
  });

  test("keybrake resolve --settled frees what was not spent, and no more", async () => {
    const key = await issueKey("settled/1");
    const [first, second] = await usedUp(key, "settled/1");
    expect(await bench.cli(["resolve", first, "--settled", "4"])).toMatchObject({ code: 0 });
    expect((await charge(server, key)).status).toBe(429);
    expect(await bench.cli(["resolve", second, "--settled", "1"])).toMatchObject({ code: 0 });
    expect((await charge(server, key)).status).toBe(200);
    await eventually(async () => ((await usedOf(key)) === "10.00" ? true : undefined));
    expect(await bench.json<{ level: string }[]>(["doctor"])).not.toContainEqual(
      expect.objectContaining({ check: "counters", level: "error" }),
    );
  });

  test("the id is the one that the agent was given with the answer", async () => {
    const key = await issueKey("answer/1");
    const answer = await charge(server, key, "broken");
    const id = answer.headers.get("x-keybrake-request-id")!;
    await eventually(async () => ((await listed("answer/1")).length === 1 ? true : undefined));
    expect(await bench.cli(["resolve", id, "--settled", "5"])).toMatchObject({ code: 0 });
  });

  test("POST /audit/{id}/resolve does the same over HTTP", async () => {
    const key = await issueKey("api/1");
    const [first] = await usedUp(key, "api/1");
    const answer = await fetch(`${server.url}/audit/${first}/resolve`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ released: true }),
    });
    expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ refers_to: first })]);
    expect((await charge(server, key)).status).toBe(200);
  });
});
