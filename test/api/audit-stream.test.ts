import { afterEach, beforeEach, expect, test } from "bun:test";
import { ADMIN } from "../operate/installed.ts";
import { endCall, recordCall } from "../operate/record-call.ts";
import { type Served, serve } from "./served.ts";

let served: Served;
let keyId: string;
let ending: AbortController;

beforeEach(async () => {
  ending = new AbortController();
  served = await serve({}, { stops: ending.signal });
  const policy = { vendor: "stripe", daily_usd_cap: 500 };
  keyId = (await served.control.issueKey({ policy, expires_in: "2h", agent_run_label: "=run" }, ADMIN)).id;
});
afterEach(() => served.close());

/** Reads events until `count` of them have come. */
async function events(reader: ReadableStreamDefaultReader<Uint8Array>, count: number): Promise<string[]> {
  const decoder = new TextDecoder();
  let text = "";
  while (text.split("\n\n").length <= count) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value);
  }
  return text.split("\n\n").slice(0, -1);
}

function open(query = "", headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return served.fetchRaw("GET", `/audit/stream${query}`, { headers });
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** A stream that has said its first words. */
async function opened(query?: string, lastEventId?: string): Promise<Reader> {
  const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
  const reader = (await open(query, headers)).body!.getReader() as Reader;
  await events(reader, 1);
  return reader;
}

interface Row {
  readonly id: string;
  readonly state: string;
}

function rowOf(event: string | undefined): Row {
  return JSON.parse(/^data: (.*)$/m.exec(event ?? "")![1]!) as Row;
}

function idOf(event: string | undefined): string | undefined {
  return /^id: (.*)$/m.exec(event ?? "")?.[1];
}

test("a stream carries rows as they come, and a call once more when it ends", async () => {
  await recordCall(served, { keyId });
  const answer = await open("?run=%3Drun");
  expect(answer.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  const reader = answer.body!.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  expect((await events(reader, 1))[0]).toStartWith(": rows as they come\n");
  const id = await recordCall(served, { keyId, exposureUsd: "5" });
  const [held] = await events(reader, 1);
  expect(rowOf(held)).toMatchObject({ id, state: "held" });
  await endCall(served, id, "settled", "4.5");
  const [settled] = await events(reader, 1);
  expect(rowOf(settled)).toMatchObject({ id, cost_usd: "4.50" });
  await reader.cancel();
});

test("a stream says from time to time that it is there", async () => {
  const reader = (await open()).body!.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  await events(reader, 1);
  served.clock.nowMs += 15_000;
  expect(await events(reader, 1)).toEqual([": still here"]);
  await reader.cancel();
});

test("a stream ends within a second when its token is revoked, however many rows come", async () => {
  const reader = (await open()).body!.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  await events(reader, 1);
  await served.control.revokeToken(served.tokenIds.admin);
  await recordCall(served, { keyId, exposureUsd: "5" });
  served.clock.nowMs += 1_000;
  const rest = [await reader.read(), await reader.read()];
  expect(rest.at(-1)!.done).toBe(true);
});

test("a stream says what is wrong and ends where the store fails", async () => {
  const reader = (await open()).body!.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  await events(reader, 1);
  Object.assign(served.store, { queryAudit: () => Promise.reject(new Error("disk I/O error")) });
  const [problem] = await events(reader, 1);
  expect(problem).toStartWith("event: problem\n");
  expect(problem).not.toContain("disk");
  expect((await reader.read()).done).toBe(true);
  expect(served.logged).toMatchObject([{ event: "audit_stream_failed" }]);
});

test("a stream looks no more once its client has gone", async () => {
  const reader = (await open()).body!.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  await events(reader, 1);
  await reader.cancel();
  let looks = 0;
  Object.assign(served.store, { queryAudit: async () => ({ rows: [], older: looks++ }) });
  await new Promise((done) => setTimeout(done, 10));
  expect(looks).toBe(0);
});

test("a stream that comes back with the last event's id misses nothing: neither new calls nor the end of one in flight", async () => {
  const first = await opened();
  const held = await recordCall(served, { keyId });
  const before = idOf((await events(first, 1))[0])!;
  await first.cancel();
  const between = await recordCall(served, { keyId, refusal: "endpoint_denied" });
  await endCall(served, held, "settled", "4.5");
  const again = await opened("", before);
  const caught = (await events(again, 2)).map(rowOf);
  expect(caught.map(({ id, state }) => [id, state])).toEqual([
    [held, "settled"],
    [between, "refused"],
  ]);
  await again.cancel();
});

test("a stream goes on from a page's newer_cursor, and from its own beginning", async () => {
  await recordCall(served, { keyId, refusal: "endpoint_denied" });
  const page = (await served.call("GET", "/audit")).json;
  const reader = (await open()).body!.getReader() as Reader;
  const begun = idOf((await events(reader, 1))[0]);
  await reader.cancel();
  const id = await recordCall(served, { keyId, refusal: "endpoint_denied" });
  for (const place of [page.newer_cursor!, begun!]) {
    const again = await opened("", place);
    expect((await events(again, 1)).map(rowOf)).toMatchObject([{ id }]);
    await again.cancel();
  }
});

test("of rows that come together the last one alone has an id, so that a broken off batch comes again whole", async () => {
  const place = (await served.call("GET", "/audit")).json.newer_cursor!;
  for (let i = 0; i < 3; i++) await recordCall(served, { keyId, refusal: "endpoint_denied" });
  const reader = await opened("", place);
  expect((await events(reader, 3)).map((event) => idOf(event) !== undefined)).toEqual([false, false, true]);
  await reader.cancel();
});

test("a place that lies ahead of every row is taken for now, and one that is none is 422", async () => {
  const reader = await opened("", "zzzz.1");
  const id = await recordCall(served, { keyId, refusal: "endpoint_denied" });
  expect((await events(reader, 1)).map(rowOf)).toMatchObject([{ id }]);
  await reader.cancel();
  const many = `zzzz${".1".repeat(257)}`;
  for (const place of ["", "-1", "1.5x!", "1 2", "../etc", "zzzzzzzzzzz", "5.9", many]) {
    const answer = await served.call("GET", "/audit/stream", { headers: { "last-event-id": place } });
    expect([place, answer.status]).toEqual([place, 422]);
  }
});

test("a stream ends when the server stops", async () => {
  const reader = await opened();
  ending.abort();
  expect((await reader.read()).done).toBe(true);
});

test("a stream reads nothing ahead of a client that does not read", async () => {
  const answer = await open();
  let looks = 0;
  const { queryAudit } = served.store;
  Object.assign(served.store, {
    queryAudit: (...given: Parameters<typeof queryAudit>) => {
      looks += 1;
      return queryAudit.call(served.store, ...given);
    },
  });
  for (let i = 0; i < 20; i++) await recordCall(served, { keyId, refusal: "endpoint_denied" });
  await new Promise((done) => setTimeout(done, 20));
  expect(looks).toBeLessThanOrEqual(2);
  await answer.body!.cancel();
});
