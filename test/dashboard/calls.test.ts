import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { WITHOUT_BROWSER } from "./chromium.ts";
import { type Stage, setStage } from "./stage.ts";
import type { Visit } from "./visit.ts";

describe.skipIf(WITHOUT_BROWSER !== undefined)("calls", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await setStage();
  });
  afterAll(() => stage.end());

  const costs = ({ page }: Visit) =>
    page.$$eval(".calls td[data-name=Cost]", (cells) => cells.map((cell) => cell.textContent));

  test("of a run stand on its page in their order, with what they did cost", async () => {
    const key = await stage.issue("run/in-order", ["--daily-usd-cap", "40"]);
    for (const cents of [1000, 2000, 1500, 500]) await stage.charge(key, cents);
    const visited = await stage.enter();
    await visited.go("run/run%2Fin-order");
    await visited.sees("Calls in their order");
    await visited.sees("cap exceeded");
    expect(await costs(visited)).toEqual(["$10.00", "$20.00", "$15.00", "$5.00"]);
    await visited.sees("$35.00");
    await visited.end();
  });

  test("are searched by every filter, and the filter stands in the address", async () => {
    const key = await stage.issue("search/me");
    const other = await stage.issue("search/other");
    await stage.charge(key, 700);
    await stage.charge(key, 99_900);
    await stage.charge(other, 300);
    const visited = await stage.enter();
    const { page, go, sees, seesNot, fill, choose, press, end } = visited;
    await go("audit");
    await sees("search/other");
    await fill("Run", "search/me");
    await choose("Verdict", "cap_exceeded");
    await press("Search");
    await seesNot("search/other");
    await sees("$999.00");
    expect(await costs(visited)).toEqual(["$999.00"]);
    expect(page.url()).toContain("#/audit?run=search%2Fme&verdict=cap_exceeded");
    await page.reload();
    await sees("$999.00");
    expect(await costs(visited)).toEqual(["$999.00"]);

    await press("Clear");
    await sees("search/other");
    for (const [label, text] of [
      ["Run label has", "other"],
      ["Vault key", other.id],
      ["Since", "1h"],
      ["Until", "2100-01-01"],
    ] as const) {
      if (label === "Vault key") await page.click("summary");
      await fill(label, text);
    }
    await choose("State", "settled");
    await choose("Vendor", "stripe");
    await press("Search");
    await seesNot("search/me");
    await sees("$3.00");
    expect(await costs(visited)).toEqual(["$3.00"]);
    await fill("Customer", "cus_nobody");
    await fill("Triggering event", "evt_none");
    await press("Search");
    await sees("No call is like that");
    await fill("Since", "yesterday");
    await press("Search");
    await sees("since must be a duration back from now");
    await end();
  });

  test("are exported as a file of what was searched for", async () => {
    const visited = await stage.enter();
    await visited.go("audit?run=search%2Fme");
    const link = await visited.find("Export CSV");
    const text = await link.evaluate(async (a) => (await fetch((a as HTMLAnchorElement).href)).text());
    expect(text.split("\r\n")[0]).toStartWith("id,called_at");
    expect(text).toContain("search/me");
    expect(text).not.toContain("search/other");
    await visited.end();
  });

  test("appear as they come, and the page says when it is cut off and that it is back", async () => {
    const key = await stage.issue("live/one");
    const { sees, seesNot, end } = await stage.enter();
    await sees("Live");
    await seesNot("live/one");
    await stage.charge(key, 1100);
    await sees("live/one");
    await sees("$11.00");

    await stage.stopServer();
    await sees("Disconnected from Keybrake");
    await stage.startServer();
    await stage.charge(key, 1300);
    await sees("$13.00");
    await seesNot("Disconnected from Keybrake");
    await end();
  }, 30_000);

  test("whose outcome is unknown are resolved with an amount, or released", async () => {
    const key = await stage.issue("lost/one", ["--daily-usd-cap", "500"]);
    await stage.charge(key, 2500, "reset").catch(() => undefined);
    await stage.charge(key, 3500, "reset").catch(() => undefined);
    const { page, go, sees, seesNot, fill, press, end } = await stage.enter();
    await go("unresolved");
    await sees("$25.00");
    await sees("$35.00");
    const resolve = async (amount: string) => {
      const row = await page.waitForSelector(`xpath///tr[contains(., "${amount}")]//button`);
      await row!.click();
      await sees("What became of it?");
    };
    await resolve("$25.00");
    await fill("Dollars", "twenty");
    await press("Resolve");
    await sees("not a dollar amount");
    await fill("Dollars", "24.50");
    await fill("Why (stands in the audit)", "seen in the vendor's own books");
    await press("Resolve");
    await sees("Resolved: $24.50 settled.");
    await seesNot("$25.00");

    await resolve("$35.00");
    await press("Nothing was spent");
    await press("Resolve");
    await sees("Resolved: $0.00 released.");
    await sees("Every call's outcome is known");
    await go(`key/${key.id}`);
    await sees("$24.50 of $500.00");
    await end();
  });
});
