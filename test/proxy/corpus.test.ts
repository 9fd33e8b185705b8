import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Secret } from "../../src/core/secret.ts";
import { makeAuthority } from "../harness/certificate.ts";
import { eventually } from "../harness/keybrake.ts";
import { startPlane, type TestKey, type TestPlane } from "../harness/plane.ts";
import { exchange, statuses } from "../harness/raw-socket.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";
import { CHUNKED_CORPUS, FIRST_CORPUS } from "./parse/corpus.ts";

let vendor: VendorDouble;
let plane: TestPlane;
let key: TestKey;

const authority = makeAuthority();
const own = authority.issue();
const pair = { ...own, key: new Secret(own.key), keyId: "", expiresAt: Number.MAX_SAFE_INTEGER, covers: () => true };

describe.each([
  ["TCP", undefined],
  ["TLS", pair],
] as const)("the first corpus, over raw %s", (_transport, tls) => {
  beforeAll(async () => {
    const charge = {
      id: "ch_1",
      object: "charge",
      amount: 100,
      currency: "usd",
      paid: true,
      captured: true,
      status: "succeeded",
    };
    vendor = await startVendorDouble(() => ({ status: 200, body: JSON.stringify(charge) }));
    plane = await startPlane({ origins: { stripe: vendor.origin }, bodyTimeoutMs: 1_000, ...(tls ? { tls } : {}) });
    key = await plane.issue({ allowed_endpoints: ["* /**"], daily_usd_cap: 100_000 });
  });

  afterAll(async () => {
    await plane.stop();
    await vendor.stop();
  });

  async function exposure(): Promise<bigint> {
    const totals = await plane.store.auditTotals({});
    return totals.heldMicros + totals.unresolvedMicros;
  }

  for (const row of [...FIRST_CORPUS, ...CHUNKED_CORPUS]) {
    test(`${row.name} → ${row.expect.status || "no answer"} ${row.expect.code ?? ""}`, async () => {
      const before = vendor.requests.length;
      const heldBefore = await exposure();
      const bytes = row.bytes(`127.0.0.1:${plane.port}`, key.token);
      const answer =
        row.drive === "byte_per_second"
          ? await slowly(bytes, tls && authority.certificate)
          : await exchange(plane.port, bytes, {
              closeAfterWrite: row.drive === "close_after_write",
              authority: tls && authority.certificate,
            });
      const answers = row.expect.status === 0 ? 0 : (row.forwards?.length ?? 1);
      expect(statuses(answer), answer).toEqual(new Array(answers).fill(row.expect.status));
      if (row.expect.code) expect(answer).toContain(`"code":"${row.expect.code}"`);
      const wanted = row.forwards ?? [];
      if (wanted.length > 0)
        await eventually(() => (vendor.requests.length - before >= wanted.length ? true : undefined));
      expect(vendor.requests.slice(before).map(({ method, target }) => `${method} ${target}`)).toEqual([...wanted]);
      await plane.plane.ledger.drain();
      if (wanted.length === 0) expect(await exposure()).toBe(heldBefore);
      expect(answer).not.toContain("sk_test_double_real_secret_42");
    });
  }
});

/** The head at once, then one byte of the body and no more, which is what a second of such a client looks like. */
function slowly(bytes: string, authority: string | undefined): Promise<string> {
  const head = bytes.indexOf("\r\n\r\n") + 4;
  return exchange(plane.port, bytes.slice(0, head + 1), { quietMs: 50, authority });
}
