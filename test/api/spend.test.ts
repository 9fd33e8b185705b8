import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { recordCall } from "../operate/record-call.ts";
import { SEED_BODY, type Served, serve } from "./served.ts";

let served: Served;
beforeEach(async () => {
  served = await serve();
});
afterEach(() => served.close());

/** Issues a key with a token, and makes one settled call with it. */
async function callOf(label: string, costUsd: string, token?: string): Promise<void> {
  const body = { ...SEED_BODY, agent_run_label: label };
  const { json } = await served.call("POST", "/vault/keys", { body, ...(token === undefined ? {} : { token }) });
  await recordCall(served, { keyId: json.id, exposureUsd: costUsd, end: { to: "settled", costUsd } });
}

async function ask(query: string, token = served.tokens.auditor) {
  const { status, text } = await served.call("GET", `/spend${query}`, { token });
  return { status, answer: JSON.parse(text) as Record<string, unknown> & { rows: object[]; message: string } };
}

describe("GET /spend", () => {
  test("tells what each run spent, the dearest first, with its share and the total", async () => {
    await callOf("tenant:acme:billing:run-1", "2.50");
    await callOf("tenant:acme:billing:run-2", "7.50");
    const { status, answer } = await ask("");
    expect(status).toBe(200);
    expect(answer).toMatchObject({
      by: "run",
      until: null,
      rows: [
        { run: "tenant:acme:billing:run-2", calls: 1, refused: 0, settled_usd: "7.50", total_usd: "7.50", share: 0.75 },
        { run: "tenant:acme:billing:run-1", held_usd: "0.00", unresolved_usd: "0.00", total_usd: "2.50", share: 0.25 },
      ],
      total: { calls: 2, refused: 0, settled_usd: "10.00", total_usd: "10.00" },
      groups: 2,
      truncated: false,
    });
    expect(answer).not.toHaveProperty("projection");
    expect(answer).not.toHaveProperty("anomalies");
  });

  test("groups by a part of the label, splits by vendor, and cuts to the limit but not in the total", async () => {
    await callOf("tenant:acme:billing:run-1", "1");
    await callOf("tenant:b/mail", "3");
    const { answer } = await ask("?by=label:2&split=vendor&limit=1&project=true&anomalies=true");
    expect(answer).toMatchObject({
      by: "label:2",
      rows: [{ "label:2": "b", vendor: "stripe", total_usd: "3.00", projected_month_usd: expect.any(String) }],
      total: { total_usd: "4.00" },
      groups: 2,
      truncated: true,
      projection: { spent_usd: "4.00", method: expect.any(String) },
      anomalies: [],
    });
  });

  test("shows an issuer what the keys that it issued have spent, and nothing of others", async () => {
    await callOf("of-admin", "5");
    await callOf("of-issuer", "2", served.tokens.issuer);
    const { answer } = await ask("", served.tokens.issuer);
    expect(answer).toMatchObject({ rows: [{ run: "of-issuer", share: 1 }], total: { calls: 1, total_usd: "2.00" } });
  });

  for (const [query, message] of [
    ["?by=runs", /by cannot be "runs"; did you mean run\?/],
    ["?by=label:0", /label takes the number of a part/],
    ["?since=1h&until=2h", /nothing lies between them/],
    ["?limit=10001", /at most 10000/],
    ["?since=yesterday", /since must be a duration/],
  ] as const) {
    test(`refuses ${query} and says why`, async () => {
      const { status, answer } = await ask(query);
      expect(status).toBe(422);
      expect(answer.message).toMatch(message);
    });
  }
});
