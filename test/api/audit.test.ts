import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { ADMIN } from "../operate/installed.ts";
import { recordCall } from "../operate/record-call.ts";
import { type Served, serve } from "./served.ts";

let served: Served;
let keyId: string;

beforeEach(async () => {
  served = await serve();
  const policy = { vendor: "stripe", daily_usd_cap: 500 };
  const metadata = { agent_id: "billing_agent" };
  keyId = (await served.control.issueKey({ policy, expires_in: "2h", agent_run_label: "=run", metadata }, ADMIN)).id;
});
afterEach(() => served.close());

test("pages are newest last, with cursors both ways", async () => {
  const ids = [];
  for (let i = 0; i < 3; i++) ids.push(await recordCall(served, { keyId }));
  const newest = (await served.call("GET", "/audit?limit=2")).json;
  expect(newest.rows.map(({ id }: { id: string }) => id)).toEqual(ids.slice(1));
  const older = (await served.call("GET", `/audit?limit=2&cursor=${newest.next_cursor}`)).json;
  expect(older.rows.map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 1));
  const come = (await served.call("GET", `/audit?after=${older.newer_cursor}`)).json;
  expect(come.rows.map(({ id }: { id: string }) => id)).toEqual(ids.slice(1));
  expect((await served.call("GET", "/audit?limit=10001")).status).toBe(422);
  for (const both of ["before=1&cursor=2", "before=1&after=2", "cursor=1&after=2"]) {
    expect((await served.call("GET", `/audit?${both}`)).status).toBe(422);
  }
});

test("filters by run, key, verdict, state and time; totals take the same", async () => {
  await recordCall(served, { keyId, exposureUsd: "1", end: { to: "settled", costUsd: "1" } });
  served.clock.nowMs += 5_400_000;
  await recordCall(served, { keyId, refusal: "endpoint_denied" });
  const count = async (query: string) => (await served.call("GET", `/audit?${query}`)).json.rows.length;
  expect(await count("run=%3Drun")).toBe(2);
  expect(await count(`key_id=${keyId}&verdict=endpoint_denied`)).toBe(1);
  expect(await count("state=settled")).toBe(1);
  expect(await count("since=1h")).toBe(1);
  expect(await count("until=2026-01-01T01:00:00Z")).toBe(1);
  expect((await served.call("GET", "/audit/totals?since=1h")).json).toMatchObject({ calls: 1, refused: 1 });
});

describe("an export", () => {
  test("is NDJSON of every final row, oldest first, over as many pages as there are, and closes with its heads", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 1003; i++) ids.push(await recordCall(served, { keyId, end: { to: "settled" } }));
    await recordCall(served, { keyId });
    const answer = await served.call("GET", "/audit/export");
    expect(answer.headers.get("content-type")).toBe("application/x-ndjson; charset=utf-8");
    expect(answer.headers.get("content-disposition")).toBe('attachment; filename="keybrake-audit.ndjson"');
    const lines = answer.text.trimEnd().split("\n");
    expect(JSON.parse(lines.pop()!).keybrake_export).toMatchObject({ rows: 1003, filter: null, last_chain_seq: 1003 });
    expect(lines.map((line) => JSON.parse(line).id)).toEqual(ids);
    expect(JSON.parse(lines[0]!).metadata).toEqual({ agent_id: "billing_agent" });
  });

  test("is CSV that no spreadsheet runs", async () => {
    await recordCall(served, { keyId, end: { to: "settled" } });
    const answer = await served.call("GET", "/audit/export?format=csv&run=%3Drun");
    expect(answer.headers.get("content-type")).toStartWith("text/csv");
    const [header, line, end] = answer.text.split("\r\n");
    expect(header).toStartWith("id,called_at,");
    expect(line!.split(",")[4]).toBe("'=run");
    expect(end).toBe("");
  });

  test("of nothing says so in its closing line, and of another format is refused", async () => {
    const { keybrake_export } = JSON.parse((await served.call("GET", "/audit/export?run=none")).text);
    expect(keybrake_export).toMatchObject({ rows: 0, filter: { run: "none" } });
    expect((await served.call("GET", "/audit/export?format=xml")).status).toBe(422);
    expect((await served.call("GET", "/audit/export?verdict=nope")).status).toBe(422);
  });
});

test("whether the chain is whole is asked once for all who ask at the same time, and the first bad row is named", async () => {
  const id = await recordCall(served, { keyId, end: { to: "settled", costUsd: "1.25" } });
  let walks = 0;
  const { verifyAudit } = served.control;
  Object.assign(served.control, {
    verifyAudit: () => {
      walks += 1;
      return verifyAudit();
    },
  });
  const asked = [1, 2, 3].map(() => served.call("GET", "/audit/verify", { token: served.tokens.auditor }));
  for (const { json } of await Promise.all(asked)) {
    expect(json).toMatchObject({ ok: true, count: 1, sum_usd: "1.25", finding: null });
  }
  expect(walks).toBe(1);
  const database = new Database(join(served.dataDir, "keybrake.db"));
  database.run("UPDATE audit_rows SET cost_micros = 1");
  database.close();
  expect((await served.call("GET", "/audit/verify")).json).toMatchObject({
    ok: false,
    finding: { fault: "changed", chain_seq: 1, id },
  });
});
