import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { BUILTIN_TEMPLATES } from "../../src/policy/builtin.ts";
import { type Installed, install, problemOf } from "./installed.ts";

let installed: Installed;

beforeEach(async () => {
  installed = await install();
});
afterEach(() => installed.close());

test("shows each template with its inputs and its source", async () => {
  const names = (await installed.control.listTemplates()).map(({ name }) => name);
  expect(names).toEqual([...BUILTIN_TEMPLATES.keys()].map((fileName) => fileName.replace(".yaml", "")));
  const billing = await installed.control.showTemplate("billing");
  expect(billing).toMatchObject({ name: "billing", vendor: "stripe" });
  expect(billing.inputs).toMatchObject([{ name: "customers", required: false }]);
  expect(billing.source).toContain("daily_usd_cap: 500");
});

test("sees a file that has come while it runs, and names the nearest where there is none", async () => {
  writeFileSync(join(installed.templates.directory, "own.yaml"), "vendor: resend\nfrom_domains: ['$" + "{domain}']\n");
  expect((await installed.control.showTemplate("own")).inputs).toEqual([
    { name: "domain", description: "", required: true },
  ]);
  const problem = await problemOf(() => installed.control.showTemplate("biling"));
  expect(problem).toMatchObject({ code: "not_found" });
  expect(problem.message).toContain("billing");
});
