import { beforeEach, describe, expect, test } from "bun:test";
import { FailedTries } from "../../src/api/failed-tries.ts";
import { mintControlToken } from "../../src/vault/control-token.ts";
import { TestClock } from "../operate/installed.ts";
import { serve } from "./served.ts";

let clock: TestClock;
let waits: number[];
/** Ends the oldest wait. */
let ends: (() => void)[];
let tries: FailedTries;

beforeEach(() => {
  [clock, waits, ends] = [new TestClock(), [], []];
  tries = new FailedTries(clock, (durationMs) => {
    waits.push(durationMs);
    return new Promise((done) => ends.push(done));
  });
});

/** So many failures, one after the other, each with its wait ended. */
async function fail(address: string, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    const failed = tries.failed(address);
    ends.shift()?.();
    await failed;
  }
}

test("answers the first five at once, and then each one later, up to four seconds", async () => {
  await fail("192.0.2.1", 12);
  expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 4_000, 4_000]);
});

test("counts each address for itself, an IPv6 network of 64 bits as one, and IPv4 in IPv6's clothes as what it is", async () => {
  await fail("192.0.2.1", 5);
  await fail("192.0.2.2", 5);
  expect(waits).toEqual([]);
  await fail("::ffff:192.0.2.1", 1);
  expect(waits).toEqual([250]);
  for (let at = 0; at < 5; at++) await fail(`2001:db8:1:2::${at}`, 1);
  await fail("2001:db8:1:2:ffff::9", 1);
  await fail("2001:db8:1:3::1", 1);
  expect(waits).toEqual([250, 250]);
});

test("begins anew after a minute of quiet, and not before", async () => {
  await fail("192.0.2.1", 6);
  clock.nowMs += 59_999;
  await fail("192.0.2.1", 1);
  expect(waits).toEqual([250, 500]);
  clock.nowMs += 60_000;
  await fail("192.0.2.1", 5);
  expect(waits).toEqual([250, 500]);
});

test("lets two answers of an address wait, and sixteen in all; whoever comes then is told when to come again", async () => {
  const addresses = Array.from({ length: 10 }, (_, at) => `192.0.2.${at}`);
  for (const address of addresses) await fail(address, 5);
  const begun = addresses.flatMap((address) => [1, 2, 3].map(() => tries.failed(address)));
  expect(ends).toHaveLength(16);
  expect(await begun[2]).toEqual({ retryAfterMs: 1_000 });
  for (const end of ends.splice(0)) end();
  expect((await Promise.all(begun)).filter((later) => later !== undefined)).toHaveLength(14);
  void tries.failed(addresses[0]);
  expect(ends).toHaveLength(1);
});

test("remembers at most 4,096 addresses, the newest, and none for longer than a minute", async () => {
  for (let at = 0; at < 5_000; at++) await fail(`10.0.${at >> 8}.${at & 255}`, 1);
  expect(tries.size).toBe(4_096);
  clock.nowMs += 60_000;
  await fail("192.0.2.1", 1);
  expect(tries.size).toBe(1);
});

describe("on the control plane", () => {
  test("a good token is answered at once while the same address is being slowed down", async () => {
    let waiting = 0;
    const pause = () => {
      waiting += 1;
      return new Promise<void>(() => {});
    };
    const served = await serve({}, { pause });
    const bad = () => served.call("GET", "/vendors", { token: mintControlToken("admin").token.reveal() });
    for (let at = 0; at < 5; at++) expect((await bad()).status).toBe(401);
    const slowed = [bad(), bad()];
    while (waiting < slowed.length) await Promise.resolve();
    const refused = await bad();
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(refused.json.error.code).toBe("too_many_failures");
    expect((await served.call("GET", "/vendors")).status).toBe(200);
    expect((await served.call("POST", "/session", { token: null, body: { token: served.tokens.admin } })).status).toBe(
      200,
    );
    expect((await served.call("GET", "/vendors", { token: null })).status).toBe(401);
    await served.close();
  });

  test("slows down wrong tokens at sign-in and made-up cookies, too", async () => {
    let waits = 0;
    const pause = async () => {
      waits += 1;
    };
    const served = await serve({}, { pause });
    const token = mintControlToken("admin").token.reveal();
    for (let at = 0; at < 6; at++) await served.call("POST", "/session", { token: null, body: { token } });
    expect(waits).toBe(1);
    const cookie = "keybrake_session_7878=kb_session_made_up";
    await served.call("GET", "/vendors", { token: null, headers: { cookie } });
    expect(waits).toBe(2);
    await served.close();
  });
});
