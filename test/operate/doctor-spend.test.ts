import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { ADMIN, install, START_MS } from "./installed.ts";
import { recordCall } from "./record-call.ts";

test("the doctor compares the sums of spending with the calls, and names the hour that differs", async () => {
  const installed = await install();
  const { control, store } = installed;
  const policy = { vendor: "stripe", allowed_endpoints: ["POST /v1/payment_intents"] };
  const look = async () => (await control.doctor()).filter(({ check }) => check === "spend");
  try {
    const { id: keyId } = await control.issueKey({ policy, expires_in: "2h" }, ADMIN);
    await recordCall(installed, { keyId, exposureUsd: "5", end: { to: "settled", costUsd: "5" } });
    expect(await look()).toMatchObject([{ level: "ok" }]);
    expect(await store.addUpSpend(100)).toEqual({ done: 1, left: 0 });
    expect(await look()).toMatchObject([{ level: "ok" }]);
    const database = new Database(join(installed.dataDir, "keybrake.db"));
    database.run("UPDATE spend_sums SET settled_micros = 1 WHERE slot_ms = 3600000");
    database.close();
    const [hour, day] = await look();
    expect(hour).toMatchObject({ level: "error" });
    expect(hour!.message).toContain(new Date(START_MS).toISOString());
    expect(hour!.message).toContain("1 calls, 0 refused, 1 settled");
    expect(hour!.message).toContain("1 calls, 0 refused, 5000000 settled");
    expect(day).toMatchObject({ level: "error" });
  } finally {
    await installed.close();
  }
});
