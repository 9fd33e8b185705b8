import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Bench } from "../harness/keybrake.ts";
import { WITHOUT_BROWSER } from "./chromium.ts";
import { type Stage, setStage } from "./stage.ts";
import type { Visit } from "./visit.ts";

const MAKER = join(import.meta.dir, "../../scripts/bench/large-store/make-database.ts");

async function fill({ dataDir }: Bench): Promise<void> {
  const size = ["--rows", "30000", "--keys", "10000", "--runs", "300"];
  const maker = Bun.spawn(["bun", MAKER, "--data", dataDir, ...size], { stderr: "pipe" });
  if ((await maker.exited) !== 0) throw new Error(await new Response(maker.stderr).text());
}

describe.skipIf(WITHOUT_BROWSER !== undefined)("with 10,000 keys and a long audit", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await setStage(fill);
  }, 60_000);
  afterAll(() => stage?.end());

  const labels = ({ page }: Visit) => page.$$eval("tbody a.run", (links) => links.map((link) => link.textContent!));
  const elements = ({ page }: Visit) => page.evaluate(() => document.querySelectorAll("*").length);

  test("keys come page by page, and the page is never full of them", async () => {
    const visited = await stage.enter();
    const { go, choose, press, page } = visited;
    await go("keys");
    const every = page.waitForResponse((answer) => /[/]vault[/]keys[?](?!.*active=true)/.test(answer.url()));
    await choose("Show", "");
    await every;
    await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 50);
    const first = await labels(visited);
    await press("Older keys →");
    await page.waitForFunction(
      (top) => {
        const links = document.querySelectorAll("tbody a.run");
        return links.length === 50 && links[0]!.textContent !== top;
      },
      {},
      first[0]!,
    );
    const second = await labels(visited);
    expect(second).toHaveLength(50);
    expect(second.filter((label) => first.includes(label))).toEqual([]);
    expect(await elements(visited)).toBeLessThan(3000);
    await press("← Newer keys");
    // A label of the second page may begin with this one.
    await page.waitForFunction((top) => document.querySelector("tbody a.run")?.textContent === top, {}, first[0]!);
    expect(await labels(visited)).toEqual(first);
    await visited.end();
  });

  test("a run of many calls is read from its first to its last", async () => {
    const visited = await stage.enter();
    const { go, press, sees, page } = visited;
    await go("run/bench%2Frun-of-300");
    await sees("Calls in their order");
    const times = () => page.$$eval(".calls time", (all) => all.map((time) => time.getAttribute("datetime")!));
    const seen: string[] = [];
    for (let part = 0; part < 3; part++) {
      if (part > 0) await press("Later calls →");
      const last = seen.at(-1) ?? "";
      await page.waitForFunction(
        (before) => {
          const all = document.querySelectorAll(".calls time");
          return all.length === 100 && all[0]!.getAttribute("datetime")! > before;
        },
        {},
        last,
      );
      seen.push(...(await times()));
    }
    expect(seen).toHaveLength(300);
    expect(seen).toEqual([...seen].sort());
    await visited.end();
  });

  test("the audit goes back page by page", async () => {
    const visited = await stage.enter();
    const { go, press, page } = visited;
    await go("audit?verdict=cap_exceeded");
    await page.waitForSelector(".calls tbody tr");
    const first = await page.$eval(".calls time", (time) => time.getAttribute("datetime")!);
    await press("Older calls →");
    await page.waitForFunction(
      (top) => {
        const shown = document.querySelector(".calls time")?.getAttribute("datetime");
        return shown !== undefined && shown !== null && shown < top;
      },
      {},
      first,
    );
    expect(await elements(visited)).toBeLessThan(3000);
    await visited.end();
  });
});
