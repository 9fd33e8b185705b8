import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { WITHOUT_BROWSER } from "./chromium.ts";
import { type Stage, setStage } from "./stage.ts";

interface ShownKey {
  readonly id: string;
  readonly status: string;
  readonly template: string | null;
  readonly agent_name: string | null;
  readonly policy: Readonly<Record<string, unknown>>;
}

describe.skipIf(WITHOUT_BROWSER !== undefined)("keys", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await setStage();
  });
  afterAll(() => stage.end());

  const keysOf = (label: string) => stage.bench.json<ShownKey[]>(["key", "list", "--label", label]);

  test("are listed with cap, spend and time left, and found by their label", async () => {
    const key = await stage.issue("billing/caps", ["--daily-usd-cap", "50"]);
    await stage.issue("other/one");
    expect((await stage.charge(key, 4200)).status).toBe(200);

    const { page, go, sees, seesNot, fill, end } = await stage.enter();
    await go("keys");
    await sees("other/one");
    await fill("Run label has", "billing/");
    await seesNot("other/one");
    await sees("$42.00 of $50.00");
    await sees(/1 h 5\d min/);
    const meter = await page.$eval("[role=meter]", (bar) => [bar.ariaValueNow, bar.className]);
    expect(meter).toEqual(["84", "cap-bar is-near"]);
    await end();
  });

  test("are revoked at one click, and issued again with the same policy, label and agent, shown once", async () => {
    const flags = ["--daily-usd-cap", "12", "--agent-name", "charger", "--metadata", "tenant=acme"];
    const old = await stage.issue("billing/undo", flags);
    const { page, go, sees, seesNot, press, end } = await stage.enter();
    await go("keys");
    await press("Revoke billing/undo");
    await sees("Revoked billing/undo.");
    await seesNot("billing/undo\n");
    expect((await stage.charge(old, 100)).status).toBe(401);

    await press("Issue again");
    await sees("It is shown this once.");
    const shown = await page.$eval("dialog .secret code", (code) => code.textContent!);
    expect((await stage.charge({ vault_key: shown }, 100)).status).toBe(200);
    const [made, before] = await keysOf("billing/undo");
    expect([made!.status, before!.status]).toEqual(["active", "revoked"]);
    expect([made!.policy, made!.agent_name, made!.template]).toEqual([before!.policy, "charger", before!.template]);

    await press("Close");
    await page.waitForFunction((key) => !document.documentElement.outerHTML.includes(key), {}, shown);
    await end();
  });

  test("are issued from a template with its inputs as fields, and the lines for the agent are copied", async () => {
    const visited = await stage.enter();
    const { page, go, sees, press, fill, find, choose, end } = visited;
    const origin = stage.server().url;
    await page
      .browserContext()
      .overridePermissions(origin, ["clipboard-read", "clipboard-write", "clipboard-sanitized-write"]);
    await go("issue");
    await choose("Template", "billing");
    await sees("Charge the customers of one billing run");
    await fill("customers", "cus_1, cus_2");
    await fill("Run label", "nightly/42");
    await fill("Daily cap in dollars", "900");
    await press("Issue the key");
    await sees("daily_usd_cap");
    await sees(/900/);
    await fill("Daily cap in dollars", "90");
    await press("Issue the key");
    await sees("It is shown this once.");

    const [made] = await keysOf("nightly/42");
    expect(made).toMatchObject({ template: "billing", status: "active" });
    expect(made!.policy).toMatchObject({ daily_usd_cap: "90.00", customers: ["cus_1", "cus_2"] });
    const shown = await page.$eval("dialog .secret code", (code) => code.textContent!);
    await press("Copy the vault key");
    await find("Copied the vault key");
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(shown);
    const [node] = await page.$$eval("dialog .lines h4", (titles) => titles.map((title) => title.textContent!));
    await press(`Copy the lines for ${node}`);
    await find(`Copied the lines for ${node}`);
    const lines = await page.evaluate(() => navigator.clipboard.readText());
    expect(lines).toContain(shown);
    expect(lines).toContain(origin.replace(/^https?:\/\//, "").split(":")[0]!);
    await end();
  });

  test("have a page with their policy, budgets and calls", async () => {
    const key = await stage.issue("billing/page", ["--daily-usd-cap", "30"]);
    await stage.charge(key, 1250);
    await stage.charge(key, 2000);
    const { go, sees, press, end } = await stage.enter();
    await go("keys");
    await press("billing/page");
    await sees("$12.50 of $30.00");
    await sees("POST /v1/payment_intents");
    await sees("cap exceeded");
    await end();
  });
});
