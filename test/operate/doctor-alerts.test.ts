import { afterEach, expect, test } from "bun:test";
import { testNews } from "../../src/alerts/news.ts";
import type { AlertTarget } from "../../src/core/alert-target.ts";
import { type Installed, install } from "./installed.ts";

let installed: Installed;
afterEach(() => installed.close());

const HOUR_MS = 3_600_000;
const OPS: AlertTarget = {
  type: "webhook",
  name: "ops",
  url: "https://ops.example/secret-path",
  secret: { environment: "SIGNING" },
  isPrivate: false,
};

async function findings(targets: readonly AlertTarget[], signing = "s") {
  installed = await install({
    config: { alerts: { targets, runCostMicros: undefined } },
    environment: { SIGNING: signing },
  });
  const look = async () => (await installed.control.doctor()).filter(({ check }) => check === "alerts");
  return look;
}

test("says who is told", async () => {
  const look = await findings([OPS]);
  expect(await look()).toEqual([{ check: "alerts", level: "ok", message: "alerts go to ops", hint: null }]);
});

test("warns of a secret that is not there, by the name of its place", async () => {
  const look = await findings([OPS], "");
  expect(await look()).toMatchObject([
    { level: "warning", message: "the alert target ops: the environment variable SIGNING is empty" },
  ]);
});

test("warns where alerts have failed for more than an hour, and not before", async () => {
  const look = await findings([OPS]);
  const { store, clock } = installed;
  await store.queueAlert({ news: [testNews(1)], targets: ["ops"], at: clock.nowMs });
  const delivery = (await store.takeDelivery("ops", clock.nowMs, clock.nowMs))!;
  await store.endDelivery(delivery, { state: "pending", dueAt: 0, httpStatus: 500, problem: "answered 500" });
  clock.nowMs += HOUR_MS;
  expect(await look()).toMatchObject([{ level: "ok" }]);
  clock.nowMs += HOUR_MS / 2;
  expect(await look()).toEqual([
    {
      check: "alerts",
      level: "warning",
      message: "alerts have not reached ops for 90m: answered 500",
      hint: "`keybrake alert test --target ops` tries it now",
    },
  ]);
});
