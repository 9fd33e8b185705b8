import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Server } from "bun";
import { setVendor } from "../harness/vendor-account.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";
import { WITHOUT_BROWSER } from "./chromium.ts";
import { type Stage, setStage } from "./stage.ts";

/** Whatever of this a page takes for more than text opens a dialog, asks another server, or redraws what stands beside it. */
const HOSTILE = `"'><img src=//elsewhere.example/x onerror=alert(1)><script>alert(2)</script>{{alert(3)}}\u202ejavascript:alert(4)`;
const REASON = `<iframe srcdoc="<script>parent.alert(5)</script>">`;

describe.skipIf(WITHOUT_BROWSER !== undefined)("what agents and vendors say", () => {
  let stage: Stage;
  let vendor: VendorDouble;
  beforeAll(async () => {
    vendor = await startVendorDouble((request) => ({
      status: 200,
      headers: { "request-id": "<svg/onload=alert(6)>" },
      body: JSON.stringify({
        id: "pi_<img/src=x/onerror=alert(7)>",
        object: "payment_intent",
        amount: Number(new URLSearchParams(request.body).get("amount")),
        amount_received: Number(new URLSearchParams(request.body).get("amount")),
        currency: "usd",
        status: "succeeded",
        customer: HOSTILE,
      }),
    }));
    stage = await setStage(async (bench) => {
      await setVendor(bench, "stripe", { origin: vendor.origin, secret: "sk_test_hostile_page_secret" });
    });
  });
  afterAll(async () => {
    await stage.end();
    await vendor.stop();
  });

  test("is text on every page: nothing of it runs, loads or becomes an element", async () => {
    const key = await stage.issue(HOSTILE, ["--agent-name", HOSTILE, "--metadata", `<b>${"x"}=${HOSTILE}`]);
    const answer = await fetch(`${stage.server().url}/stripe/v1/payment_intents`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${key.vault_key}`,
        "content-type": "application/x-www-form-urlencoded",
        "x-agent-run-id": "<img src=x onerror=alert(8)>",
        "x-triggering-event-id": "<script>alert(9)</script>",
      },
      body: `amount=700&currency=usd&confirm=true&customer=${encodeURIComponent("cus_<i>1")}`,
    });
    expect(answer.status).toBeLessThan(500);
    await stage.charge(key, 900);
    await stage.bench.cli(["brake", "--label-prefix", HOSTILE.slice(0, 60), "--reason", REASON]);

    const { page, go, sees, press, end } = await stage.enter();
    const label = encodeURIComponent(HOSTILE);
    for (const place of [
      "keys",
      "audit",
      "unresolved",
      "budgets",
      "vendors",
      `run/${label}`,
      `key/${key.id}`,
      "brake",
    ]) {
      await go(place);
      await sees(place === "vendors" || place === "unresolved" ? "Brake engaged" : "onerror=alert(1)");
      expect(await page.$$("img, iframe, body script, b, i")).toEqual([]);
    }
    await sees(REASON);
    await go("audit");
    await (await page.waitForSelector("[aria-expanded=false][aria-label^='Details of']"))!.click();
    await sees("<svg/onload=alert(6)>");
    await go("keys");
    await press(`Revoke ${HOSTILE}`);
    await sees(`Revoked "'><img`);
    await press("Issue again");
    await sees("It is shown this once.");
    expect(await page.$$("img, iframe, body script, b, i")).toEqual([]);
    await end();
  });

  test("could not run even where the page took it for HTML: the page's own policy forbids it", async () => {
    const page = await stage.browser.newPage();
    await page.goto(`${stage.server().url}/dashboard/`);
    const tried = await page.evaluate(() => {
      const outcome = (work: () => void) => {
        try {
          work();
          return "ran";
        } catch (error) {
          return (error as Error).name;
        }
      };
      return [
        outcome(() => {
          document.body.innerHTML = "<img src=x onerror=alert(1)>";
        }),
        outcome(() => {
          document.createElement("script").text = "alert(1)";
        }),
        outcome(() => document.body.setAttribute("onclick", "alert(1)")),
      ];
    });
    expect(tried.slice(0, 2)).toEqual(["TypeError", "TypeError"]);
    const policy = (await page.reload())!.headers()["content-security-policy"]!;
    expect(policy).not.toMatch(/unsafe|\*|data:|blob:|https?:/);
    await page.close();
  });
});

describe.skipIf(WITHOUT_BROWSER !== undefined)("a page of somebody else's, in a browser that is signed in", () => {
  let stage: Stage;
  let foreign: Server<undefined>;
  beforeAll(async () => {
    stage = await setStage();
    foreign = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => new Response("<!doctype html><title>prizes</title>", { headers: { "content-type": "text/html" } }),
    });
  });
  afterAll(async () => {
    await foreign.stop(true);
    await stage.end();
  });

  const brakes = () => stage.bench.json<unknown[]>(["brake", "list"]);

  test("reaches nothing by a name of its own that leads here (DNS rebinding)", async () => {
    const page = await stage.browser.newPage();
    // The refusal's own policy lets no script ask anything; a page that was there before the name moved has none.
    await page.setBypassCSP(true);
    const { port } = stage.server();
    const answer = await page.goto(`http://rebound.example:${port}/dashboard/`);
    expect(answer!.status()).toBe(421);
    const asked = await page.evaluate(async () => {
      const paths = ["/vault/keys", "/session", "/dashboard/"];
      return Promise.all(paths.map(async (path) => (await fetch(path, { credentials: "include" })).status));
    });
    expect(asked).toEqual([421, 421, 421]);
    await page.close();
  });

  // The second is another port of this host: the same site to a browser, whose cookies know no ports.
  test.each(["evil.example", "127.0.0.1"])(
    "at %s changes and reads nothing with the operator's cookie",
    async (host) => {
      const { page, end } = await stage.enter();
      const { url } = stage.server();
      const intruder = await page.browserContext().newPage();
      await intruder.goto(`http://${host}:${foreign.port}/`);
      const outcomes = await intruder.evaluate(async (target) => {
        const outcome = (init: RequestInit) =>
          fetch(`${target}/brake`, { credentials: "include", ...init }).then(
            ({ type, status }) => `${type} ${status}`,
            () => "blocked",
          );
        return [
          await outcome({ method: "POST", body: "{}", headers: { "content-type": "application/json" } }),
          await outcome({ method: "POST", body: "{}", mode: "no-cors" }),
          await outcome({ method: "DELETE" }),
          await outcome({ method: "GET" }),
        ];
      }, url);
      // Not even that a request was answered is told (Cross-Origin-Resource-Policy).
      expect(outcomes).toEqual(["blocked", "blocked", "blocked", "blocked"]);

      const sent = intruder.waitForNavigation();
      await intruder.evaluate((target) => {
        const form = document.createElement("form");
        Object.assign(form, { method: "post", action: `${target}/brake`, enctype: "text/plain" });
        document.body.append(form);
        form.submit();
      }, url);
      expect((await sent)!.status()).toBe(403);
      expect(await brakes()).toEqual([]);
      await end();
    },
  );

  test("cannot frame the dashboard", async () => {
    const { page, end } = await stage.enter();
    const intruder = await page.browserContext().newPage();
    await intruder.goto(`http://127.0.0.1:${foreign.port}/`);
    const { url } = stage.server();
    const framed = intruder.waitForResponse((response) => response.url() === `${url}/dashboard/`);
    await intruder.evaluate((target) => {
      const frame = document.createElement("iframe");
      frame.src = `${target}/dashboard/`;
      document.body.append(frame);
    }, url);
    expect((await framed).headers()["x-frame-options"]).toBe("DENY");
    const frame = await intruder.waitForSelector("iframe");
    await intruder.waitForFunction(() => document.querySelector("iframe")!.contentDocument === null);
    const inside = await (await frame!.contentFrame()).evaluate(() => document.querySelector("#page") === null);
    expect(inside).toBe(true);
    await end();
  });
});
