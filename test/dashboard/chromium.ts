import puppeteer, { type Browser } from "puppeteer-core";

/** As distributions name it. */
const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** The browser that the tests drive; undefined where this machine has none. */
export const CHROMIUM = NAMES.map((name) => Bun.which(name)).find((path) => path !== null);

/** Why there are no browser tests on this machine; undefined where there are. */
export const WITHOUT_BROWSER =
  CHROMIUM === undefined ? "no Chromium on PATH: ./scripts/install-chromium installs the distribution's" : undefined;

/** Starts the browser without a window. Names that end in `.example` lead to this machine: the web pages of others. */
export function launchChromium(): Promise<Browser> {
  return puppeteer.launch({
    executablePath: CHROMIUM!,
    headless: true,
    args: [
      "--host-resolver-rules=MAP *.example 127.0.0.1",
      // Root's browser has no sandbox of its own; what it shows here is our own page.
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      "--disable-dev-shm-usage",
      "--no-proxy-server",
    ],
  });
}
