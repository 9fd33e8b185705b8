import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BUILTIN_TEMPLATES } from "../../src/policy/builtin.ts";
import { fillTemplate, loadTemplate } from "../../src/policy/load.ts";
import { PLACES, Terminal } from "./terminal.ts";
import { Transcript } from "./transcript.ts";

let terminal: Terminal;
beforeEach(() => {
  terminal = new Terminal();
});
afterEach(() => terminal.close());

const pathOf = (name: string) => join(terminal.data, "policies", `${name}.yaml`);
const written = (name: string) => fillTemplate(loadTemplate(readFileSync(pathOf(name), "utf8"), `${name}.yaml`));

async function create(line: string, typed?: string) {
  return terminal.run(["policy", "new", ...line.split(" ").filter((word) => word !== "")], "", {
    ...(typed === undefined ? {} : { typed }),
  });
}

test.each(PLACES)(
  "%s: writing a template, the scopes of a key and the cost of a loop read as the golden transcript says",
  async (place) => {
    terminal.place = place;
    const transcript = new Transcript(terminal);
    await transcript.type("policy new");
    await transcript.type("policy new refunds-small --preset refunds --daily-usd-cap 50");
    await transcript.type("policy show refunds-small");
    await transcript.type("policy new refunds-small --preset refunds");
    await transcript.type(
      "policy new top-up --vendor stripe --operations topup.create --daily-usd-cap 9 --expires-in 1h",
    );
    await transcript.type("stripe-scopes");
    await transcript.type("stripe-scopes --template refunds-small");
    await transcript.type("stripe-scopes payouts.create 'POST /v1/webhook_endpoints' 'POST /v1/climate/orders'");
    await transcript.type("stripe-scopes refunds.create --json");
    await transcript.type("stripe-scopes --template email");
    await transcript.type("blowout --vendor stripe --calls-per-minute 150");
    await transcript.type("blowout --vendor twilio --calls-per-minute 180 --cap-usd 100 --hours 8");
    await transcript.type("blowout --vendor postmark --calls-per-minute 150 --json");
    await transcript.type("blowout --vendor shopify --calls-per-minute 150");
    transcript.expectGolden("planning");
  },
);

test("flags alone write a template that a key can be issued from", async () => {
  const line = "top-up --vendor stripe --operations topups.create --daily-usd-cap 100 --expires-in 1h";
  expect(await create(line)).toMatchObject({ code: 0, out: `${pathOf("top-up")} is written\n` });
  expect(written("top-up")).toEqual({
    vendor: "stripe",
    daily_usd_cap: "100.00",
    allowed_endpoints: ["POST /v1/topups"],
    expires_in: "1h",
  });
  expect(await terminal.run(["key", "issue", "--template", "top-up", "--label", "x"])).toMatchObject({ code: 0 });
});

test.each([...BUILTIN_TEMPLATES])("a copy of %s decides as it does", async (fileName, text) => {
  const name = fileName.replace(".yaml", "");
  expect(await create(`copy --preset ${name}`)).toMatchObject({ code: 0 });
  const inputs = name === "tenant-billing" ? { customers: "cus_1" } : {};
  const copy = loadTemplate(readFileSync(pathOf("copy"), "utf8"), "copy.yaml");
  expect(fillTemplate(copy, inputs)).toEqual(fillTemplate(loadTemplate(text, fileName), inputs));
  expect(await terminal.run(["policy", "lint", pathOf("copy")])).toMatchObject({ code: 0, out: "" });
});

test("a preset keeps what no flag says, and endpoints that are given take the place of its own", async () => {
  await create("refunds-only --preset refunds --operations refunds.create,refunds.cancel --daily-usd-cap 1");
  expect(written("refunds-only")).toMatchObject({
    daily_usd_cap: "1.00",
    max_amount_per_call_usd: "50.00",
    allowed_endpoints: ["POST /v1/refunds", "POST /v1/refunds/*/cancel"],
  });
});

test("what lint would warn of is not written", async () => {
  const { code, err } = await create("idle --preset refunds --operations payouts.create");
  expect([code, existsSync(pathOf("idle"))]).toEqual([1, false]);
  expect(err).toContain("nothing was written: caps.refund");
});

describe("at a terminal", () => {
  test("asks for name, vendor, job, endpoints, caps and expiry", async () => {
    const typed = ["support", "", "", "refunds.create, GET /v1/charges/*", "80", "20", ""].join("\n");
    const { code, err } = await create("", typed);
    expect(code).toBe(0);
    expect(err).toContain("Vendor (stripe, twilio, resend");
    expect(err).toContain("  refunds: Refund single charges, with their amounts\n");
    expect(written("support")).toEqual({
      vendor: "stripe",
      daily_usd_cap: "80.00",
      max_amount_per_call_usd: "20.00",
      allowed_endpoints: ["POST /v1/refunds", "GET /v1/charges/*"],
      expires_in: "2h",
    });
  });

  test("begins with a job, and Enter keeps what that has", async () => {
    await create("", ["mail-eu", "resend", "email", "", "2", "", ""].join("\n"));
    const { daily_usd_cap, expires_in, allowed_endpoints } = written("mail-eu");
    expect({ daily_usd_cap, expires_in }).toEqual({ daily_usd_cap: "2.00", expires_in: "2h" });
    expect(allowed_endpoints).toEqual(["POST /emails", "POST /emails/batch", "GET /emails/*"]);
  });

  test("tells a job that is not there at once", async () => {
    const { code, err } = await create("", ["mine", "resend", "refunds"].join("\n"));
    expect(code).toBe(1);
    expect(err).toContain('there is no template "refunds" to begin with');
    expect(err).not.toContain("Dollars");
  });

  test("asks nothing where the flags say all", async () => {
    expect((await create("mine --preset refunds", "")).err).not.toContain("Dollars");
  });
});

test.each([
  ["", 2, /needs a name, --preset or --vendor/],
  ["mine --vendor stripe", 2, /needs --operations or --allowed-endpoints, a cap \(--daily-usd-cap\), --expires-in/],
  ["Mine --preset refunds", 2, /"Mine" names no template/],
  ["../mine --preset refunds", 2, /names no template/],
  ["budgets --preset refunds", 2, /names no template/],
  ["mine --preset refund", 1, /no template "refund" to begin with/],
  ["mine --preset refunds --vendor twilio", 2, /for stripe, not for twilio/],
  ["mine --preset refunds --operations refund.create", 1, /did you mean refunds.create/],
  ["mine --preset refunds --daily-usd-cap much", 1, /nothing was written/],
  ["mine --preset refunds --operations ephemeral_keys", 1, /nothing was written/],
  ["refunds --preset billing", 1, /already, and it stays as it is/],
])("`policy new %s` ends with %i and leaves no file", async (line, code, message) => {
  const refused = await create(line);
  expect(refused.code).toBe(code);
  expect(refused.err).toMatch(message);
  expect(existsSync(pathOf("mine"))).toBe(false);
  expect(readFileSync(pathOf("refunds"), "utf8")).toBe(BUILTIN_TEMPLATES.get("refunds.yaml")!);
});
