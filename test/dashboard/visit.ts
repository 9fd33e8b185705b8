import { expect } from "bun:test";
import type { Browser, BrowserContext, ElementHandle, Page } from "puppeteer-core";

export interface VisitSetting {
  readonly theme?: "light" | "dark";
  readonly isPhone?: boolean;
}

/** A browser of its own, without cookies, at the dashboard. */
export interface Visit {
  readonly page: Page;
  readonly url: string;
  /** Signs in by the form. */
  signIn(token: string): Promise<void>;
  /** To a page by its name behind the #. */
  go(place: string): Promise<void>;
  /** Waits until the page's text has this. */
  sees(text: string | RegExp): Promise<void>;
  /** Waits until the page's text has it no more. */
  seesNot(text: string): Promise<void>;
  /** Waits until nothing is on its way any more. */
  loaded(): Promise<void>;
  /** What a person reads on the page. */
  text(): Promise<string>;
  /** Clicks the button or link with this name, as a reader of the screen hears it. */
  press(name: string): Promise<void>;
  /** Types into the field with this label, in place of what is there. */
  fill(label: string, text: string): Promise<void>;
  choose(label: string, value: string): Promise<void>;
  /** What has this name. */
  find(name: string): Promise<ElementHandle<Element>>;
  /** Closes, and fails where the page broke its own rules: a policy violation, an uncaught error, a request elsewhere. */
  end(): Promise<void>;
}

const PHONE = { width: 390, height: 844, isMobile: true, hasTouch: true, deviceScaleFactor: 1 } as const;
const DESK = { width: 1280, height: 900, deviceScaleFactor: 1 } as const;

export async function visit(browser: Browser, url: string, setting: VisitSetting = {}): Promise<Visit> {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const broken = watchRules(page, url);
  page.setDefaultTimeout(8000);
  await page.setViewport(setting.isPhone ? PHONE : DESK);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: setting.theme ?? "light" }]);
  await page.goto(`${url}/dashboard/`);
  return { page, url, ...acts(page, url), end: () => end(context, broken) };
}

function acts(page: Page, url: string): Omit<Visit, "page" | "url" | "end"> {
  const sees: Visit["sees"] = async (text) => {
    const source = text instanceof RegExp ? text.source : text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    await page
      .waitForFunction((pattern) => new RegExp(pattern).test(document.body.innerText), {}, source)
      .catch(async () => {
        const shown = await shownText(page);
        throw new Error(`the page never said ${text}; it says:\n${shown}`);
      });
  };
  const field = (label: string) => named(page, "input, select", label);
  const fill: Visit["fill"] = async (label, text) => {
    const input = await field(label);
    await input.focus();
    await input.evaluate((element) => (element as HTMLInputElement).select());
    await page.keyboard.press("Backspace");
    await page.keyboard.type(text);
  };
  const seesNot: Visit["seesNot"] = async (text) => {
    await page.waitForFunction((gone) => !document.body.innerText.includes(gone), {}, text);
  };
  return {
    sees,
    seesNot,
    fill,
    loaded: () => seesNot("Loading…"),
    text: () => shownText(page),
    press: async (name) => (await named(page, "button, a, summary, input", name)).click(),
    choose: async (label, value) => {
      const select = await field(label);
      // Its choices may still be on their way.
      const has = (list: Element, wanted: string) =>
        [...(list as HTMLSelectElement).options].some((option) => option.value === wanted);
      await page.waitForFunction(has, {}, select, value);
      await select.select(value);
    },
    find: (name) => named(page, "button, a, input, select", name),
    signIn: async (token) => {
      const field = await page.waitForSelector("input[type=password]");
      await field!.type(token);
      await page.keyboard.press("Enter");
      await page.waitForSelector(".shell");
    },
    go: async (place) => {
      await page.goto(`${url}/dashboard/#/${place}`);
      await page.waitForSelector("h1");
    },
  };
}

function shownText(page: Page): Promise<string> {
  return page.evaluate(() => document.body.innerText);
}

/** The visible element with this name, as a reader of the screen hears it: its own, its label's, or what stands in it. */
async function named(page: Page, kinds: string, name: string): Promise<ElementHandle<Element>> {
  const found = await page
    .waitForFunction(
      (selector, wanted) =>
        [...document.querySelectorAll<HTMLElement>(selector)].find((element) => {
          const labels = (element as HTMLInputElement).labels;
          const said = element.ariaLabel ?? labels?.[0]?.textContent ?? element.textContent ?? "";
          return said.trim() === wanted && element.checkVisibility();
        }),
      {},
      kinds,
      name,
    )
    .catch(async () => {
      const shown = await shownText(page);
      throw new Error(`nothing on the page is named ${name}; it says:\n${shown}`);
    });
  return found.asElement() as ElementHandle<Element>;
}

/** What the page must never do, collected while it is open. */
function watchRules(page: Page, url: string): string[] {
  const broken: string[] = [];
  page.on("request", (request) => {
    const asked = request.url();
    if (!asked.startsWith(`${url}/`) && !asked.startsWith("blob:")) broken.push(`a request to ${asked}`);
  });
  page.on("pageerror", (error) => broken.push(`an uncaught error: ${error}`));
  page.on("dialog", (dialog) => {
    broken.push(`a script of somebody else's ran: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    const text = message.text();
    if (/content security policy|trusted ?types/i.test(text)) broken.push(text);
  });
  return broken;
}

async function end(context: BrowserContext, broken: readonly string[]): Promise<void> {
  await context.close();
  expect(broken).toEqual([]);
}
