import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Secret } from "../../src/core/secret.ts";
import type { FindingView } from "../../src/operate/about.ts";
import { createControlPlane } from "../../src/operate/create-control-plane.ts";
import { createMasterKeyFile } from "../../src/vault/master-key.ts";
import { ADMIN, type Installed, install } from "./installed.ts";
import { recordCall } from "./record-call.ts";

let installed: Installed;

beforeEach(async () => {
  installed = await install();
  await installed.control.setVendor("stripe", { secret: new Secret("sk_test_real_secret") });
});
afterEach(() => installed.close());

async function findings(check: string, control = installed.control): Promise<readonly FindingView[]> {
  return (await control.doctor()).filter((finding) => finding.check === check);
}

test("looks at everything, and finds nothing wrong with a fresh installation but the vendors to set up", async () => {
  const all = await installed.control.doctor();
  expect([...new Set(all.map(({ check }) => check))]).toEqual([
    "files",
    "master key",
    "database",
    "counters",
    "spend",
    "audit chain",
    "vendors",
    "templates",
    "currencies",
    "prices",
    "alerts",
    "environment",
    "clock",
    "disk",
  ]);
  expect(all.filter(({ level }) => level === "error")).toEqual([]);
  expect((await findings("vendors")).map(({ level }) => level)).toEqual(["ok", "warning", "warning"]);
  expect(JSON.stringify(all)).not.toContain("real_secret");
});

test("names a file that others can read, and the command that mends it", async () => {
  const file = join(installed.dataDir, "keybrake.db");
  chmodSync(file, 0o644);
  const [finding] = await findings("files");
  expect(finding).toMatchObject({ level: "error" });
  expect(finding!.message).toContain(file);
  expect(finding!.hint).toContain("chmod");
});

test("finds a master key that does not open what is stored", async () => {
  const other = createMasterKeyFile(join(installed.dataDir, "other.key"));
  const control = createControlPlane({ ...installed.options, masterKey: other });
  const [finding] = await findings("master key", control);
  expect(finding).toMatchObject({ level: "error" });
  expect(finding!.message).toContain(other.id);
});

test("finds a stored secret that was changed in the database", async () => {
  const [record] = await installed.store.listVendors();
  const sealedSecret = Uint8Array.from(record!.sealedSecret!);
  sealedSecret[sealedSecret.length - 1]! ^= 1;
  await installed.store.putVendor({ ...record!, sealedSecret, version: record!.version + 1 });
  const [finding] = await findings("master key");
  expect(finding).toMatchObject({ level: "error" });
  expect(finding!.message).toContain("vendor stripe");
});

test("finds settings of the database that durability does not rest on", async () => {
  const describe = installed.store.describe.bind(installed.store);
  Object.assign(installed.store, {
    describe: async () => ({ ...(await describe()), journal_mode: "delete", synchronous: "1", quick_check: "page 7" }),
  });
  const found = await findings("database");
  expect(found.map(({ level, message }) => `${level}: ${message}`)).toEqual([
    "error: journal_mode is delete; it must be wal",
    "error: synchronous is 1; it must be 2",
    "error: quick_check is page 7; it must be ok",
  ]);
});

test("finds a counter that its calls do not add up to", async () => {
  const policy = { vendor: "stripe", daily_usd_cap: 5 };
  const { id } = await installed.control.issueKey({ policy, expires_in: 60 }, ADMIN);
  await recordCall(installed, { keyId: id, exposureUsd: "3" });
  expect((await findings("counters")).map(({ level }) => level)).toEqual(["ok"]);
  Object.assign(installed.store, {
    checkCounters: async () => [{ budgetId: `key:${id}:daily_usd_cap`, windowStart: 0, counter: 1n, rows: 3_000_000n }],
  });
  const [finding] = await findings("counters");
  expect(finding!.message).toBe(`the counter of key:${id}:daily_usd_cap is $0.000001, its calls are $3.00`);
});

test("finds a template that is broken, and one that does not do what its author expects", async () => {
  writeFileSync(join(installed.templates.directory, "broken.yaml"), "vendor: stripe\ndaily_usd_capp: 5\n");
  writeFileSync(
    join(installed.templates.directory, "capless.yaml"),
    "vendor: stripe\nallowed_endpoints: [POST /v1/payment_intents]\n",
  );
  const found = (await findings("templates")).map(({ level, message }) => `${level}: ${message}`);
  expect(found[0]).toStartWith("error: broken.yaml:2:1:");
  expect(found[1]).toMatch(/^warning: capless\.yaml:\d+:\d+: .*no cap/);
});

test("finds a variable through which secrets would leave", async () => {
  const control = createControlPlane({ ...installed.options, environment: { NODE_TLS_REJECT_UNAUTHORIZED: "0" } });
  const [finding] = await findings("environment", control);
  expect(finding).toMatchObject({ level: "error" });
  expect(finding!.message).toContain("NODE_TLS_REJECT_UNAUTHORIZED");
});

test("finds a clock that is wrong, or was set back", async () => {
  const { id } = await installed.control.issueKey({ policy: { vendor: "stripe" }, expires_in: 60 }, ADMIN);
  installed.clock.nowMs += 3_600_000;
  await recordCall(installed, { keyId: id });
  installed.clock.nowMs -= 3_600_000;
  expect((await findings("clock"))[0]).toMatchObject({ level: "warning" });
  installed.clock.nowMs = 0;
  expect((await findings("clock"))[0]).toMatchObject({ level: "error" });
});

test("a check that cannot be made is a finding, and the others are made", async () => {
  Object.assign(installed.store, { describe: () => Promise.reject(new Error("disk I/O error")) });
  expect((await findings("database"))[0]).toMatchObject({ level: "error", message: "disk I/O error" });
  expect(await findings("disk")).toHaveLength(1);
});

test("warns of rates that are old or of no day, once for all of these", async () => {
  const usd = 1_100_000n;
  // Of START_MS, 2026-01-01: thirty days before are fine, and so is tomorrow, which it is somewhere.
  const currencyRateDates = new Map([
    ["eur", "2025-12-02"],
    ["gbp", "2025-12-01"],
    ["chf", "2026-01-02"],
    ["jpy", "2026-01-04"],
  ]);
  const currencyRates = new Map(["eur", "gbp", "chf", "jpy", "sek", "nok"].map((code) => [code, usd]));
  const config = { ...installed.config, currencyRates, currencyRateDates };
  const found = await findings("currencies", createControlPlane({ ...installed.options, config }));
  expect(found.map(({ level, message }) => `${level}: ${message}`)).toEqual([
    "warning: the rate of gbp, $1.10, is of 2025-12-01, 31 days ago",
    "warning: the rate of jpy, $1.10, is of a day to come: 2026-01-04",
    "warning: nobody has written down of which day these rates are: sek, nok",
  ]);
});

test("is content with rates of the last month", async () => {
  const currencyRates = new Map([["eur", 1_100_000n]]);
  const config = { ...installed.config, currencyRates, currencyRateDates: new Map([["eur", "2025-12-31"]]) };
  const found = await findings("currencies", createControlPlane({ ...installed.options, config }));
  expect(found).toMatchObject([{ level: "ok", message: "the rates of eur are of the last 30 days" }]);
});

test("names the currencies that active keys and templates use and nobody gave a rate for", async () => {
  const policy = { vendor: "stripe", allowed_endpoints: ["GET /v1/charges"], allowed_currencies: ["usd", "eur"] };
  const ids: string[] = [];
  for (const _ of [1, 2]) ids.push((await installed.control.issueKey({ policy, expires_in: 60 }, ADMIN)).id);
  const expired = await installed.control.issueKey(
    { policy: { ...policy, allowed_currencies: ["gbp"] }, expires_in: 1 },
    ADMIN,
  );
  installed.clock.nowMs += 2_000;
  expect(expired.warnings).toHaveLength(1);
  expect(await findings("currencies")).toMatchObject([
    {
      level: "warning",
      message: `2 keys (${ids[1]}, …) have calls in eur allowed, which has no rate: they are refused`,
    },
  ]);
  writeFileSync(
    join(installed.dataDir, "policies", "euros.yaml"),
    "vendor: stripe\nallowed_endpoints: [GET /v1/charges]\ndaily_cap: 5 eur\n",
  );
  expect((await findings("templates")).map(({ message }) => message)).toEqual([
    "euros.yaml:3:12: daily_cap is in eur and there is no rate for that: no key can be issued with it until currency_rates.eur is set",
  ]);
});
