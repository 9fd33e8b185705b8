/**
 * `bun scripts/dashboard/screenshots.ts`: takes the pictures of docs/screenshots anew, from the built binary over a month of
 * made-up calls and a few real ones to the simulated vendors. Needs Chromium (scripts/install-chromium).
 */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { WITHOUT_BROWSER } from "../../test/dashboard/chromium.ts";
import { type Stage, setStage } from "../../test/dashboard/stage.ts";
import type { Visit, VisitSetting } from "../../test/dashboard/visit.ts";
import type { Bench } from "../../test/harness/keybrake.ts";

const root = resolve(import.meta.dir, "../..");
const folder = join(root, "docs/screenshots");
const MAKER = join(root, "scripts/bench/large-store/make-database.ts");

if (WITHOUT_BROWSER !== undefined) throw new Error(WITHOUT_BROWSER);
mkdirSync(folder, { recursive: true });
const stage = await setStage(fill);
try {
  await play(stage);
  await take("spend", "");
  await take("keys", "keys");
  await take("run", "run/nightly%2Finvoices-0412");
  await take("issue", "issue", {}, issue);
  await take("brake-dark", "brake", { theme: "dark" }, confirmBrake);
  await take("phone-dark", "keys", { isPhone: true, theme: "dark" });
} finally {
  await stage.end();
}

async function fill({ dataDir }: Bench): Promise<void> {
  const size = ["--rows", "60000", "--keys", "6000", "--runs", "100"];
  const maker = Bun.spawn(["bun", MAKER, "--data", dataDir, ...size], { stdout: "ignore", stderr: "inherit" });
  if ((await maker.exited) !== 0) throw new Error("the month of calls could not be made");
}

/** A run that goes well until its cap, one that is near it, and one that has hardly begun. */
async function play({ issue: make, charge }: Stage): Promise<void> {
  const nightly = await make("nightly/invoices-0412", ["--daily-usd-cap", "120", "--agent-name", "invoicer"]);
  for (const cents of [2900, 2900, 1250, 4900, 2900]) await charge(nightly, cents);
  const near = await make("tenant:acme:refunds", ["--daily-usd-cap", "80"]);
  for (const cents of [4100, 2990]) await charge(near, cents);
  const first = await make("checkout-agent/eu", ["--daily-usd-cap", "500"]);
  await charge(first, 1999);
}

async function take(
  name: string,
  place: string,
  setting: VisitSetting = {},
  act: (visited: Visit) => Promise<void> = async () => {},
): Promise<void> {
  const visited = await stage.enter(setting);
  await visited.go(place);
  await visited.loaded();
  await act(visited);
  // The bars of the caps grow into their place.
  await Bun.sleep(500);
  await visited.page.screenshot({ path: join(folder, `${name}.png`), optimizeForSpeed: false });
  await visited.end();
  console.log(`docs/screenshots/${name}.png`);
}

async function issue({ fill: type, press, sees }: Visit): Promise<void> {
  await type("Run label", "ray-billing/01");
  await type("customers", "cus_1, cus_2");
  await press("Issue the key");
  await sees("It is shown this once.");
}

async function confirmBrake({ fill: type, press, sees }: Visit): Promise<void> {
  await type("Why (agents are told)", "a stuck loop, looking into it");
  await press("Engage…");
  await sees("Engage the brake?");
}
