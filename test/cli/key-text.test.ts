import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Terminal } from "./terminal.ts";

let terminal: Terminal;
beforeEach(() => {
  terminal = new Terminal();
  mkdirSync(terminal.data, { recursive: true, mode: 0o700 });
  rates("currency_rates: { eur: 1.12 }\n");
});
afterEach(() => terminal.close());

function rates(text: string): void {
  writeFileSync(join(terminal.data, "keybrake.yaml"), text);
}

async function issue(...flags: readonly string[]): Promise<string> {
  const issued = await terminal.run(["key", "issue", "--template", "billing", "--json", ...flags]);
  return (JSON.parse(issued.out) as { id: string }).id;
}

test.each([80, 60, 40])(
  "the list shows an id whole at %i columns, so that it can be pasted into a revoke",
  async (columns) => {
    const id = await issue("--label", "tenant:acme:billing:run-20260304-7", "--daily-usd-cap", "450");
    const { out } = await terminal.run(["key", "list"], "", { columns, environment: { NO_COLOR: "1" } });
    expect(out).toContain(`\n${id}  `);
  },
);

test("the list shows the cap alone, beside what is spent", async () => {
  await issue("--daily-usd-cap", "450");
  const { out } = await terminal.run(["key", "list"]);
  expect(out).toMatch(/ spent +cap\n.* \$0\.00 +\$450\.00\n$/);
});

test("a key's cap in another currency is shown with what its dollars are made of", async () => {
  const id = await issue("--daily-cap", "100eur");
  expect((await terminal.run(["key", "show", id])).out).toMatch(
    /daily_cap +\$0\.00 of \$112\.00 \(100\.00 eur at 1\.12\)\n/,
  );
  rates("");
  expect((await terminal.run(["key", "show", id])).out).toContain("(100.00 eur, for which no rate is set)");
});

test("a key is shown with the budgets above it that its calls are charged to", async () => {
  const id = await issue("--label", "tenant:acme:1", "--daily-usd-cap", "450");
  const folder = join(terminal.folder, "own");
  mkdirSync(folder);
  const show = async (budgets: string) => {
    writeFileSync(join(folder, "budgets.yaml"), `budgets:\n${budgets}`);
    return (await terminal.run(["--policies", folder, "key", "show", id])).out;
  };
  const family = '  - { name: per-tenant, match: { label_prefix: "tenant:*:", kind: refund }, daily_usd_cap: 60 }\n';
  const out = await show(`${family}  - { name: mails, match: { vendor: resend }, daily_send_cap: 5 }\n`);
  expect(out).toMatch(/\nper-tenant:acme daily_usd_cap +\$0\.00 of \$60\.00 \(above the key, refund only\)\n/);
  expect(out).not.toContain("mails");
  expect(await show("  - { name: platform }\n")).toMatch(/\nabove the key +not known: budgets\.yaml is broken/);
});
