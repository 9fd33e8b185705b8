import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { WITHOUT_BROWSER } from "./chromium.ts";
import { type Stage, setStage } from "./stage.ts";

describe.skipIf(WITHOUT_BROWSER !== undefined)("an operator", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await setStage();
  });
  afterAll(() => stage.end());

  test("sees what is being spent, by vendor and hour, as it is spent", async () => {
    const key = await stage.issue("spend/one", ["--daily-usd-cap", "500"]);
    await stage.charge(key, 12_345);
    const { page, go, sees, press, end } = await stage.enter();
    await go("");
    await sees("$123.45");
    await page.waitForSelector(".chart canvas");
    const summary = () => page.$eval(".chart-frame", (frame) => frame.ariaLabel);
    expect(await summary()).toBe("Dollars per hour over the last 24 hours: stripe $123.45");
    await stage.charge(key, 2000);
    await sees("$143.45");
    await press("7d");
    await page.waitForFunction(() => document.querySelector(".chart-frame")?.ariaLabel?.includes("last 168 hours"));
    await end();
  });

  test("brakes everything after saying so twice, and releases it", async () => {
    const key = await stage.issue("brake/one");
    const { page, go, sees, seesNot, fill, press, end } = await stage.enter();
    await go("brake");
    await fill("Why (agents are told)", "a loop is stuck");
    await press("Engage…");
    await sees("From the moment you confirm, every call is refused");
    await page.keyboard.press("Escape");
    await seesNot("From the moment you confirm");
    expect((await stage.charge(key, 100)).status).toBe(200);

    await press("Engage…");
    await press("Engage the brake");
    await sees("Brake engaged:");
    expect((await stage.charge(key, 100)).status).toBe(403);
    await go("keys");
    await sees("Brake engaged: every call is refused.");
    await go("brake");
    await sees("a loop is stuck");
    await press("Release the brake on every call");
    await press("Release the brake");
    await sees("No brake is engaged");
    expect((await stage.charge(key, 100)).status).toBe(200);
    await end();
  });

  test("brakes one vendor's runs by their label, and sees a brake that somebody else engaged", async () => {
    const { go, sees, fill, choose, press, end } = await stage.enter();
    await go("brake");
    await choose("Vendor", "twilio");
    await fill("Runs whose label begins with", "tenant:acme:");
    await press("Engage…");
    await sees("every call to twilio of runs that begin with tenant:acme: is refused");
    await press("Engage the brake");
    await sees("The brake is engaged");
    await stage.bench.cli(["brake", "--vendor", "resend"]);
    await sees("every call to resend");
    await stage.bench.cli(["release", "--vendor", "resend"]);
    await stage.bench.cli(["release", "--vendor", "twilio", "--label-prefix", "tenant:acme:"]);
    await sees("No brake is engaged");
    await end();
  });

  test("sees how each vendor's calls went, and that one is failing", async () => {
    const key = await stage.issue("health/one", ["--daily-usd-cap", "500"]);
    await stage.charge(key, 100);
    const { go, sees, end } = await stage.enter();
    await go("vendors");
    await sees(/Stripe\s+healthy/);
    await stage.charge(key, 100, "error_500");
    await sees(/Stripe\s+failing/);
    await sees("http 500");
    await end();
  });

  test("sees the budgets above keys and of keys", async () => {
    const budgets = "budgets:\n  - { name: all-of-acme, match: { label_prefix: 'tenant:acme:' }, daily_usd_cap: 60 }\n";
    writeFileSync(join(stage.bench.dataDir, "policies", "budgets.yaml"), budgets);
    const key = await stage.issue("tenant:acme:billing");
    await stage.charge(key, 1500);
    const { go, sees, end } = await stage.enter();
    await go("budgets");
    await sees("all-of-acme");
    await sees("$15.00 of $60.00");
    await sees("$45.00");
    await sees("$15.00 of $100.00");
    await end();
  });
});
