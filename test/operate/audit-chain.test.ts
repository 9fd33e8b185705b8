import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { acceptRestored } from "../../src/operate/accept-restored.ts";
import { AuditUpkeep } from "../../src/operate/audit-upkeep.ts";
import { openInstallation } from "../../src/operate/installation.ts";
import { ADMIN, type Installed, install, problemOf } from "./installed.ts";
import { recordCall } from "./record-call.ts";

let installed: Installed;
let keyId: string;
let logged: string[];

beforeEach(async () => {
  installed = await install();
  logged = [];
  keyId = (
    await installed.control.issueKey(
      { policy: { vendor: "stripe", total_usd_cap: 1000, allowed_endpoints: ["* /**"], expires_in: "90d" } },
      ADMIN,
    )
  ).id;
});
afterEach(() => installed.close());

async function calls(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let call = 0; call < count; call++) {
    installed.clock.nowMs += 60_000;
    ids.push(await recordCall(installed, { keyId, exposureUsd: "2", end: { to: "settled", costUsd: "1.50" } }));
  }
  return ids;
}

function upkeep(config: Partial<Installed["config"]> = {}): AuditUpkeep {
  const { store, clock, chainKey } = installed;
  return new AuditUpkeep({
    store,
    clock,
    chainKey,
    config: { ...installed.config, ...config },
    log: { info: (event) => logged.push(event), error: (event) => logged.push(event) },
  });
}

function tamper(statement: string): void {
  const database = new Database(join(installed.dataDir, "keybrake.db"));
  database.run("PRAGMA busy_timeout = 5000");
  database.run(statement);
  database.close();
}

const checkpoints = () => installed.config.auditCheckpointsFile;

describe("the key of the chain", () => {
  test("is the same at every opening, and hashes what one process after another writes", async () => {
    await calls(2);
    const again = await openInstallation(installed.config, installed.clock);
    expect(again.chainKey).toEqual(installed.chainKey);
    expect(again.chainKey).toHaveLength(32);
    await recordCall({ ...again, clock: installed.clock }, { keyId, end: { to: "settled" } });
    await again.store.close();
    expect(await installed.control.verifyAudit()).toMatchObject({ ok: true, count: 3, sum_usd: "3.00" });
  });

  test("hashes texts as they are read back: lone surrogates, NUL, emoji, an empty one", async () => {
    for (const agentRunId of ["a\ud800b", "a\u0000b", "\u{1F600}", "", "\ufeffx"]) {
      await recordCall(installed, { keyId, end: { to: "settled" }, facts: { agentRunId } });
    }
    expect(await installed.control.verifyAudit()).toMatchObject({ ok: true, count: 5 });
  });

  test("is nowhere in the data directory in clear", async () => {
    await calls(1);
    for (const name of ["keybrake.db", "keybrake.db-wal", "master.key"]) {
      const bytes = readFileSync(join(installed.dataDir, name));
      for (const encoding of ["base64", "hex", "latin1"] as const) {
        expect(bytes.includes(Buffer.from(installed.chainKey).toString(encoding), 0, "latin1")).toBe(false);
      }
    }
  });

  test.each([
    ["another master key", () => rmSync(join(installed.dataDir, "master.key")), /master key/],
    ["a damaged key", () => tamper("UPDATE chain_key SET sealed = zeroblob(120)"), /audit chain cannot be opened/],
    ["a key that was taken away", () => tamper("DELETE FROM chain_key"), /the key of their chain is gone/],
  ])("rows with %s: the installation does not open, and says why", async (_, harm, message) => {
    await calls(1);
    harm();
    const problem = await problemOf(() => openInstallation(installed.config, installed.clock));
    expect(problem.message).toMatch(message);
    expect(problem.hint).toBeTruthy();
  });

  test("without any row, a lost master key costs nothing: both keys are made anew", async () => {
    rmSync(join(installed.dataDir, "master.key"));
    const again = await openInstallation(installed.config, installed.clock);
    expect(again.chainKey).not.toEqual(installed.chainKey);
    await again.store.close();
  });
});

describe("checkpoints", () => {
  test("are appended where the chain has grown, for this user's eyes only, and agree with it", async () => {
    const chain = upkeep();
    await chain.checkpoint();
    await calls(2);
    await chain.checkpoint();
    await chain.checkpoint();
    await calls(1);
    await chain.checkpoint();
    expect(readFileSync(checkpoints(), "utf8").trim().split("\n")).toHaveLength(2);
    expect(statSync(checkpoints()).mode & 0o777).toBe(0o600);
    expect(await installed.control.verifyAudit()).toMatchObject({ ok: true, checkpoints: 2 });
    expect(logged).toEqual([]);
  });

  test("show a tail that was cut off with the ledger's word for it changed, and stop the keys at once", async () => {
    const chain = upkeep();
    await calls(3);
    await chain.checkpoint();
    tamper("DELETE FROM audit_rows WHERE chain_seq > 1");
    tamper(
      "UPDATE ledger_state SET chain_count = 1, chain_cost = '1500000', chain_hash = (SELECT hash FROM audit_rows)",
    );
    const { finding } = await installed.control.verifyAudit();
    expect(finding).toMatchObject({ fault: "tail_cut_off", chain_seq: 2 });
    await chain.checkpoint();
    await chain.checkpoint();
    expect(logged).toEqual(["audit_rolled_back"]);
    const frozen = await installed.store.frozenSince();
    expect(frozen!.why).toContain("its audit chain has 1 row, and there is the checkpoint of");
    expect(frozen!.why).toContain("(3 rows)");
    const [doctor] = (await installed.control.doctor()).filter(({ check }) => check === "audit chain");
    expect(doctor).toMatchObject({ level: "error" });
  });

  test("show an older database that has gone on", async () => {
    const chain = upkeep();
    await calls(3);
    await chain.checkpoint();
    tamper("UPDATE audit_rows SET hash = randomblob(32) WHERE chain_seq = 3");
    await calls(1);
    await chain.checkpoint();
    expect((await installed.store.frozenSince())!.why).toContain("that has gone on");
  });

  test("are not written of a database that nobody has confirmed yet", async () => {
    await calls(1);
    await installed.store.freeze("restored from a backup of yesterday", installed.clock.now());
    await upkeep().checkpoint();
    expect(existsSync(checkpoints())).toBe(false);
    await installed.store.thaw();
    await upkeep().checkpoint();
    expect(existsSync(checkpoints())).toBe(true);
  });

  test("of before an accepted restore no longer count, from the moment that it is on record", async () => {
    const chain = upkeep();
    await calls(3);
    await chain.checkpoint();
    tamper("DELETE FROM audit_rows WHERE chain_seq > 2");
    tamper(
      "UPDATE ledger_state SET chain_count = 2, chain_cost = '3000000', chain_hash = (SELECT hash FROM audit_rows WHERE chain_seq = 2)",
    );
    await chain.checkpoint();
    expect(await installed.store.frozenSince()).toBeTruthy();
    const { store, config, dataDir } = installed;
    expect(await acceptRestored(store, config, dataDir, installed.clock.now())).toBe(true);
    expect(await acceptRestored(store, config, dataDir, installed.clock.now())).toBe(false);
    await store.thaw();
    await chain.checkpoint();
    expect(await store.frozenSince()).toBeUndefined();
    await calls(2);
    await chain.checkpoint();
    expect(await installed.control.verifyAudit()).toMatchObject({ ok: true, count: 4, checkpoints: 2 });
  });

  test("that were changed, or are another installation's, are found by their line", async () => {
    const chain = upkeep();
    await calls(1);
    await chain.checkpoint();
    await calls(1);
    await chain.checkpoint();
    const lines = readFileSync(checkpoints(), "utf8").split("\n");
    writeFileSync(checkpoints(), [lines[0]!.replace('"count":1', '"count":2'), ...lines.slice(1)].join("\n"));
    const { finding } = await installed.control.verifyAudit();
    expect(finding).toMatchObject({ fault: "checkpoint_differs" });
    expect(finding!.message).toContain(`line 1 of ${checkpoints()}`);
  });

  test("go on behind a line that a crash cut off", async () => {
    const chain = upkeep();
    await calls(1);
    await chain.checkpoint();
    appendFileSync(checkpoints(), '{"count":2,"hash":"00');
    await calls(1);
    await chain.checkpoint();
    expect(await installed.control.verifyAudit()).toMatchObject({ ok: true, checkpoints: 2 });
  });

  test("in a place that fails are missed once in the log, told by the doctor, and taken up again", async () => {
    const place = mkdtempSync(join(tmpdir(), "keybrake-checkpoints-"));
    rmSync(place, { recursive: true });
    const config = { auditCheckpointsFile: join(place, "checkpoints") };
    Object.assign(installed.config, config);
    const chain = upkeep();
    await calls(1);
    await chain.checkpoint();
    await chain.checkpoint();
    expect(logged).toEqual(["audit_checkpoint_failed"]);
    const [doctor] = (await installed.control.doctor()).filter(({ check }) => check === "audit chain");
    expect(doctor!.level).toBe("error");
    expect(doctor!.message).toContain("ENOENT");
  });
});
