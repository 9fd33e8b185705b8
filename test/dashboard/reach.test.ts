import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import axe from "axe-core";
import type { Page } from "puppeteer-core";
import { WITHOUT_BROWSER } from "./chromium.ts";
import { type Stage, setStage } from "./stage.ts";
import type { Visit } from "./visit.ts";

const TABS_MAX = 80;

/** What the focus is on, as a reader of the screen hears it. */
function focused({ page }: Visit): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLInputElement | null;
    return (element?.ariaLabel ?? element?.labels?.[0]?.textContent ?? element?.textContent ?? "").trim();
  });
}

/** Goes on with Tab until the focus is on `name`, and fails where it never gets there. */
async function tabTo(visited: Visit, name: string): Promise<void> {
  for (let tabs = 0; tabs < TABS_MAX; tabs++) {
    if ((await focused(visited)) === name) return;
    await visited.page.keyboard.press("Tab");
  }
  throw new Error(`the focus never came to ${name}`);
}

/** The serious and critical findings of axe on what is shown; of some rules alone, where they are given. */
async function findings(page: Page, rules?: readonly string[]): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async (only) => {
    const options = only ? { runOnly: [...only] } : {};
    const { violations } = await (window as unknown as { axe: typeof import("axe-core") }).axe.run(document, options);
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
  }, rules);
}

/** In the light dress by every rule; in the dark one by those that look at colours. */
async function expectNoFindings(visited: Visit, what: string): Promise<void> {
  const dress = (value: "light" | "dark") =>
    visited.page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
  await dress("light");
  expect([what, "light", await findings(visited.page)]).toEqual([what, "light", []]);
  await dress("dark");
  const inColours = ["color-contrast", "link-in-text-block"];
  expect([what, "dark", await findings(visited.page, inColours)]).toEqual([what, "dark", []]);
}

describe.skipIf(WITHOUT_BROWSER !== undefined)("the dashboard", () => {
  let stage: Stage;
  let places: readonly string[];
  beforeAll(async () => {
    stage = await setStage();
    const key = await stage.issue("reach/one", ["--daily-usd-cap", "50", "--agent-name", "reader"]);
    for (const cents of [1000, 3200, 9900]) await stage.charge(key, cents);
    await stage.charge(key, 300, "reset").catch(() => undefined);
    places = [
      "",
      "keys",
      "issue",
      "audit",
      "unresolved",
      "budgets",
      "vendors",
      "brake",
      `key/${key.id}`,
      "run/reach%2Fone",
    ];
    await stage.bench.cli(["brake", "--vendor", "resend", "--reason", "a test"]);
  });
  afterAll(() => stage.end());

  test("has no serious finding of axe on any page, in light and in dark", async () => {
    const visited = await stage.enter();
    const { page, go, sees, press, loaded, end } = visited;
    for (const place of places) {
      await go(place);
      await loaded();
      await expectNoFindings(visited, place);
    }
    await go("brake");
    await press("Engage…");
    await sees("Engage the brake?");
    await expectNoFindings(visited, "a dialog");
    await page.keyboard.press("Escape");
    await go("audit");
    await (await page.waitForSelector("[aria-label^='Details of']"))!.click();
    await press("More to search by");
    await expectNoFindings(visited, "a call's facts");
    await press("Sign out");
    await sees("Sign in");
    await expectNoFindings(visited, "signing in");
    await end();
  }, 60_000);

  test("is worked by the keyboard alone: sign in, go to a page, revoke, issue again", async () => {
    await stage.issue("keyboard/one");
    const visited = await stage.enter();
    const { page, sees } = visited;
    const { keyboard } = page;
    await tabTo(visited, "Keys");
    await keyboard.press("Enter");
    await sees("keyboard/one");
    await page.waitForFunction(() => document.activeElement?.tagName === "H1");
    await tabTo(visited, "Revoke keyboard/one");
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle);
    expect(outline).toBe("solid");
    await keyboard.press("Enter");
    await sees("Revoked keyboard/one.");
    await tabTo(visited, "Issue again");
    await keyboard.press("Enter");
    await sees("It is shown this once.");
    // The focus stays in the window, whatever is pressed.
    for (let tabs = 0; tabs < 12; tabs++) {
      await keyboard.press("Tab");
      const isInside = await page.evaluate(() => {
        const { activeElement } = document;
        return activeElement === document.body || activeElement?.closest("dialog") !== null;
      });
      expect(isInside).toBe(true);
    }
    await keyboard.press("Escape");
    await page.waitForSelector("dialog", { hidden: true });
    await page.keyboard.press("Home");
    await visited.end();
  });

  test("fits a phone: nothing is wider than the screen, the menu opens, and a key is revoked by touch", async () => {
    const { page, go, sees, press, find, loaded, end } = await stage.enter({ isPhone: true });
    for (const place of places) {
      await go(place);
      await loaded();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect([place, wide]).toEqual([place, 390]);
    }
    await press("Menu");
    await press("Keys");
    // The page before it may show the same key.
    await page.waitForSelector("h1::-p-text(Keys)");
    await loaded();
    await (await find("Revoke reach/one")).tap();
    await sees("Revoked reach/one.");
    await end();
  });

  test("is dark or light as the system is, or as it is told, and remembers that", async () => {
    const { page, choose, end } = await stage.enter({ theme: "dark" });
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const dark = await ground();
    await choose("Colours", "light");
    const light = await ground();
    expect(light).not.toBe(dark);
    await page.reload();
    await page.waitForSelector(".shell");
    expect(await ground()).toBe(light);
    await choose("Colours", "system");
    expect(await ground()).toBe(dark);
    await end();
  });
});
