import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { CallFacts } from "../../src/audit/row.ts";
import { readConfig } from "../../src/config.ts";
import { idFloor } from "../../src/core/id.ts";
import { openInstallation } from "../../src/operate/installation.ts";
import { unseenEnd } from "../../src/store/ledger/final-rows.ts";
import { recordCall } from "../operate/record-call.ts";
import { NOW_MS, PLACES, type Run, Terminal } from "./terminal.ts";
import { Transcript } from "./transcript.ts";

let terminal: Terminal;
let made: number;

beforeEach(() => {
  terminal = new Terminal();
  made = 0;
});
afterEach(() => terminal.close());

async function issueKey(label: string): Promise<string> {
  const policy = ["--vendor", "stripe", "--allowed-endpoints", "POST /v1/payment_intents", "--daily-usd-cap", "100"];
  const { out } = await terminal.run(["key", "issue", ...policy, "--label", label, "--expires-in", "7d", "--json"]);
  return (JSON.parse(out) as { id: string }).id;
}

interface Left {
  readonly agoMs?: number;
  readonly exposureUsd?: string;
  readonly facts?: Partial<CallFacts>;
  /** Where the vendor gave an answer that says nothing of what became of the call. */
  readonly httpStatus?: number;
  readonly stillHeld?: true;
}

/** Calls of which a server on the same data directory never learnt what became of them. */
async function record(keyId: string, calls: readonly Left[]): Promise<string[]> {
  const { clock } = terminal.cli({ out: "", err: "" }, "", {});
  const { store } = await openInstallation(readConfig({ data: terminal.data }, {}), clock);
  const ids: string[] = [];
  for (const { agoMs = 60_000, exposureUsd = "30", facts, httpStatus = null, stillHeld } of calls) {
    const nowMs = NOW_MS - agoMs;
    made += 1;
    const id = `${idFloor("call", nowMs)}${String(made).padStart(12, "0")}`;
    const clock = { nowMs, now: () => nowMs, elapsed: () => nowMs };
    await recordCall({ store, clock }, { keyId, exposureUsd, facts: { id, ...facts } });
    ids.push(id);
    if (stillHeld) continue;
    const end = unseenEnd(nowMs, "upstream_timeout", httpStatus === null ? "timeout" : null);
    const answered = httpStatus === null ? {} : { httpStatus, verdict: "allowed" as const, vendorRequestId: "req_1" };
    await store.apply(
      [{ type: "resolve", callId: id, to: "unresolved", end: { ...end, costMicros: 0n, ...answered } }],
      nowMs,
    );
  }
  await store.close();
  return ids;
}

const run = (...argv: string[]): Promise<Run> => terminal.run(["resolve", ...argv]);

async function unresolvedIds(): Promise<string[]> {
  return (JSON.parse((await run("--json")).out) as { id: string }[]).map(({ id }) => id);
}

test.each(PLACES)("%s: listing, settling and releasing read as the golden transcript says", async (place) => {
  terminal.place = place;
  const transcript = new Transcript(terminal);
  await transcript.type("resolve");
  const key = await issueKey("ray-billing/01");
  const [first, second, third, held, zero] = await record(key, [
    { agoMs: 3 * 3_600_000, httpStatus: 500 },
    { agoMs: 3_600_000, facts: { idempotencyKeyHash: "ab".repeat(16), endpoint: "/v1/payment_intents/*/confirm" } },
    { exposureUsd: "5" },
    { exposureUsd: "1", stillHeld: true },
    { exposureUsd: "2" },
  ]);
  await transcript.type("resolve --run ray-billing/01");
  await transcript.type(`resolve ${first} --settled 29.99 --reason 'pi_1 in the Dashboard'`);
  await transcript.type(`resolve ${first} --released`);
  await transcript.type(`resolve ${held} --released`);
  await transcript.type(`resolve ${second} --settled 45`);
  await transcript.type(`resolve ${zero} --settled 0`);
  await transcript.type(`resolve kb_${third} --released`);
  await transcript.type("resolve --list");
  await transcript.type("audit");
  transcript.expectGolden("resolve");
});

test.each(PLACES)("%s: the list has what the vendor was sent, filtered by run and vendor", async (place) => {
  terminal.place = place;
  const [a, b] = [await issueKey("a/1"), await issueKey("b/1")];
  const [first] = await record(a, [{}]);
  const [second] = await record(b, [{ httpStatus: 502, facts: { idempotencyKeyHash: "ab".repeat(16) } }]);
  const rows = JSON.parse((await run("--list", "--json")).out) as Record<string, unknown>[];
  expect(rows).toMatchObject([
    { id: first!, state: "unresolved", exposure_usd: "30.00", idempotency_key_sent: `kb_${first}` },
    { id: second!, idempotency_key_sent: null, vendor_request_id: "req_1", http_status: 502 },
  ]);
  const idsOf = async (...argv: string[]) =>
    (JSON.parse((await run(...argv, "--json")).out) as { id: string }[]).map(({ id }) => id);
  expect(await idsOf("--run", "b/1")).toEqual([second!]);
  expect(await idsOf("--vendor", "twilio")).toEqual([]);
  expect((await run("--vendor", "twilio")).err).toContain("no call is unresolved\n");
});

test("on a terminal of 80 cells no id is cut: it is what one pastes", async () => {
  const key = await issueKey("a-label-that-takes-much-of-the-width/01");
  const [id] = await record(key, [{}]);
  const { out } = await terminal.run(["resolve"], "", { columns: 80 });
  const lines = out.split("\n").map((line) => Bun.stripANSI(line));
  expect(lines[1]).toStartWith(id!);
  expect(Math.max(...lines.map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(80);
});

test("--json gives the one resolution as an object, and several as an array", async () => {
  const key = await issueKey("a/1");
  const [first, second, third] = await record(key, [{}, {}, {}]);
  expect(JSON.parse((await run(first!, "--settled", "1", "--json")).out)).toMatchObject({ refers_to: first! });
  const several = JSON.parse((await run(second!, third!, "--released", "--json")).out) as { refers_to: string }[];
  expect(several.map(({ refers_to }) => refers_to)).toEqual([second!, third!]);
});

test("one of several that cannot be resolved does not keep the others from it, and the exit code says so", async () => {
  const key = await issueKey("a/1");
  const [first, second] = await record(key, [{}, {}]);
  const { code, out, err } = await run(first!, `call_${"z".repeat(22)}`, second!, "--released");
  expect(code).toBe(1);
  expect(err).toContain("there is no unresolved call call_zz");
  for (const id of [first, second]) expect(out).toContain(`${id} is released`);
  expect(await unresolvedIds()).toEqual([]);
});

describe("--all-older-than", () => {
  const DAY_MS = 86_400_000;

  test("shows what it would free and does nothing without --yes", async () => {
    const key = await issueKey("a/1");
    const ids = await record(key, [{ agoMs: 2 * DAY_MS }, { agoMs: DAY_MS / 2 }]);
    const { code, out, err } = await run("--all-older-than", "24h", "--released");
    expect(code).toBe(1);
    expect(out).toContain(ids[0]!);
    expect(out).not.toContain(ids[1]!);
    expect(err).toContain("this would free $30.00 of 1 call that may have been spent; nothing is done yet");
    expect(await unresolvedIds()).toEqual(ids);
  });

  test("releases with --yes what is older, of the run and vendor that are named", async () => {
    const [a, b] = [await issueKey("a/1"), await issueKey("b/1")];
    const [old] = await record(a, [{ agoMs: 3 * DAY_MS }]);
    const kept = await record(b, [{ agoMs: 2 * DAY_MS }, { agoMs: 60_000 }]);
    const { code, out } = await run("--all-older-than", "24h", "--released", "--run", "a/1", "--yes");
    expect([code, out]).toEqual([0, expect.stringContaining(`${old} is released`)]);
    expect(await unresolvedIds()).toEqual(kept);
    const none = await run("--all-older-than", "24h", "--released", "--run", "a/1", "--yes");
    expect(none).toMatchObject({ code: 0, out: "no call that old is unresolved; nothing is done\n" });
  });
});

const WRONG: readonly (readonly [argv: readonly string[], message: string])[] = [
  [["call_01"], "there is nothing that says what became of the call"],
  [["--released"], "there is nothing that says which call"],
  [["--settled", "5"], "there is nothing that says which call"],
  [["call_01", "--settled", "5", "--released"], "cannot be used with option '--released'"],
  [["call_01", "call_02", "--settled", "5"], "--settled is for one call, and 2 are named"],
  [["call_01", "--settled", "-5"], "is not a dollar amount"],
  [["call_01", "--settled", "1.0000001"], "up to six decimals"],
  [["call_01", "--list"], "--list takes no ids"],
  [["--list", "--released"], "cannot be used with option"],
  [["call_01", "--released", "--run", "a"], "--run and --vendor do not go with ids"],
  [["call_01", "--released", "--yes"], "--yes belongs to --all-older-than"],
  [["call_01", "--released", "--all-older-than", "24h"], "ids and --all-older-than are both given"],
  [["--all-older-than", "24h", "--settled", "5"], "--all-older-than resolves by --released only"],
  [["--all-older-than", "24h"], "--all-older-than resolves by --released only"],
  [["--all-older-than", "yesterday", "--released"], '--all-older-than is "yesterday"'],
];

test.each(WRONG)("keybrake resolve %j is wrong usage", async (argv, message) => {
  const { code, out, err } = await run(...argv);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain(message);
});
