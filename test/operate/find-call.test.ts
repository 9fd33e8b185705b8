import { afterEach, beforeEach, expect, test } from "bun:test";
import { idFloor } from "../../src/core/id.ts";
import { findUnresolvedCall } from "../../src/operate/find-call.ts";
import { ADMIN, type Installed, install, problemOf } from "./installed.ts";
import { type RecordedCall, recordCall } from "./record-call.ts";

let installed: Installed;
let keyId: string;
let made = 0;

beforeEach(async () => {
  installed = await install();
  const policy = { vendor: "stripe", allowed_endpoints: ["POST /v1/payment_intents"], daily_usd_cap: 100 };
  keyId = (await installed.control.issueKey({ expires_in: "1h", policy }, ADMIN)).id;
});
afterEach(() => installed.close());

/** With an id as the proxy makes it, but of the test's own clock, however late other tests have set theirs. */
function record(call: Partial<RecordedCall>, laterMs = 60_000): Promise<string> {
  installed.clock.nowMs += laterMs;
  made += 1;
  const id = `${idFloor("call", installed.clock.nowMs)}${String(made).padStart(12, "0")}`;
  return recordCall(installed, { keyId, exposureUsd: "5", ...call, facts: { id } });
}

const find = (text: string) => findUnresolvedCall(installed.store, text, async () => true);

test("finds an unresolved call by its id, by the beginning of it, and by the idempotency key that was sent", async () => {
  const id = await record({ end: { to: "unresolved" } });
  await record({ end: { to: "settled" } });
  await record({ end: { to: "released" } });
  for (const text of [id, id.slice(0, 15), "call_0", `kb_${id}`, ` ${id}\n`]) expect((await find(text)).id).toBe(id);
});

test("names the calls that an id is the beginning of, held ones too, and takes none of them", async () => {
  const ids = [
    await record({ end: { to: "unresolved" } }),
    await record({ end: { to: "unresolved" } }),
    await record({}),
  ];
  expect(await problemOf(() => find("call_0"))).toMatchObject({
    code: "invalid",
    message: `call_0 is the beginning of ${ids.join(", ")}`,
  });
  expect((await find(ids[0]!)).id).toBe(ids[0]!);
});

test("says why a call that there is cannot be resolved", async () => {
  const settled = await record({ end: { to: "settled" } });
  const released = await record({ end: { to: "released" } });
  const refused = await record({ refusal: "endpoint_denied" });
  const held = await record({});
  const before = await record({ end: { to: "unresolved" } });
  const { id: resolution } = await installed.control.resolveCall(before, { released: true }, ADMIN);
  const said = [
    [settled, `${settled} is settled: a call is resolved once`],
    [released, `${released} is released: a call is resolved once`],
    [refused, `${refused} is refused: a call is resolved once`],
    [held, `${held} is still at the vendor: its answer may come yet`],
    [held.slice(0, 15), `${held} is still at the vendor: its answer may come yet`],
    [before, `${before} was resolved before: a call is resolved once`],
    [resolution, `${resolution} is the row by which ${before} was resolved; a resolution stands`],
  ] as const;
  for (const [id, message] of said)
    expect(await problemOf(() => find(id))).toMatchObject({ code: "conflict", message });
});

test("finds a call among hundreds of the same second", async () => {
  const ids: string[] = [];
  for (let call = 0; call < 220; call++) ids.push(await record({ refusal: "endpoint_denied" }, 0));
  for (const id of [ids[0]!, ids.at(-1)!])
    expect((await problemOf(() => find(id))).message).toContain(`${id} is refused`);
});

test("says that there is no such call", async () => {
  await record({ end: { to: "unresolved" } });
  const unknown = `call_${"z".repeat(10)}${"0".repeat(12)}`;
  expect(await problemOf(() => find(unknown))).toMatchObject({
    code: "not_found",
    message: `there is no unresolved call ${unknown}`,
  });
  expect((await problemOf(() => find("call_zz"))).message).toBe("there is no unresolved call that begins with call_zz");
});

test.each(["", "call_", "call_%", "vk_01abc", "01abc", `call_${"0".repeat(23)}`, "call_ABC", "call_0 OR 1=1"])(
  "refuses %j, which is no call id",
  async (text) => {
    const problem = await problemOf(() => find(text));
    expect(problem).toMatchObject({ code: "invalid", message: `${JSON.stringify(text)} is no call id` });
  },
);

test.each(["vault_key_abcdef", "sk_test_real_secret", "kb_admin_abcdef"])("does not repeat %s", async (secret) => {
  const { message, hint } = await problemOf(() => find(secret));
  expect(`${message} ${hint}`).not.toContain(secret);
});
