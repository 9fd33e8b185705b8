import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { WITHOUT_BROWSER } from "./chromium.ts";
import { type Stage, setStage } from "./stage.ts";
import { visit } from "./visit.ts";

describe.skipIf(WITHOUT_BROWSER !== undefined)("signing in", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await setStage();
  });
  afterAll(() => stage.end());

  test("takes a control token, keeps it out of the browser, survives a reload, and ends with signing out", async () => {
    const visited = await stage.enter();
    const { page, sees, press } = visited;
    await sees("Spend");
    await page.reload();
    await page.waitForSelector(".shell");

    const kept = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage, document.cookie]));
    expect(kept).not.toContain(stage.adminToken);
    expect(await page.evaluate(() => document.cookie)).toBe("");
    const cookies = await page.browserContext().cookies();
    expect(cookies.map(({ httpOnly, sameSite }) => [httpOnly, sameSite])).toEqual([[true, "Strict"]]);

    await press("Sign out");
    await sees("Sign in");
    await page.reload();
    await sees("Sign in");
    expect(await page.$(".shell")).toBeNull();
    await visited.end();
  });

  test("says why a token is not taken, in the API's words, with the hint", async () => {
    const visited = await visit(stage.browser, stage.server().url);
    await visited.fill("Control token", "kb_admin_nonsense");
    await visited.press("Sign in");
    await visited.sees("this is not a token of the control plane");
    await visited.sees("keybrake token issue makes one");
    await visited.end();
  });

  test("is told when the token behind the session is revoked", async () => {
    const { id, token } = await stage.bench.json<{ id: string; token: string }>([
      "token",
      "issue",
      "--role",
      "auditor",
    ]);
    const visited = await stage.enter({ token });
    await visited.sees("auditor");
    await stage.bench.cli(["token", "revoke", id]);
    await visited.go("budgets");
    await visited.sees("You were signed out");
    await visited.end();
  });

  test("shows each role what it may do, and no more", async () => {
    const [auditor, issuer] = await Promise.all(
      ["auditor", "issuer"].map((role) => stage.bench.json<{ token: string }>(["token", "issue", "--role", role])),
    );
    const reading = await stage.enter({ token: auditor!.token });
    await reading.go("brake");
    await reading.sees("No brake is engaged");
    const shown = await reading.text();
    expect(shown).not.toContain("Issue a key");
    expect(shown).not.toContain("Stop calls");
    await reading.end();

    const issuing = await stage.enter({ token: issuer!.token });
    await issuing.sees("Keys");
    await issuing.sees("Refreshed every 10 s");
    const own = await issuing.page.$$eval("nav a", (links) => links.map((link) => link.textContent));
    expect(own).toEqual(["Spend", "Keys", "Issue a key", "Budgets", "Vendors"]);
    await issuing.end();
  });
});
