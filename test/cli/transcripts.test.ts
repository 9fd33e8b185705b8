import { afterEach, beforeEach, describe, test } from "bun:test";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { recordRun } from "./record-run.ts";
import { PLACES, Terminal } from "./terminal.ts";
import { Transcript } from "./transcript.ts";

let terminal: Terminal;
let transcript: Transcript;

describe.each(PLACES)("%s", (place) => {
  beforeEach(() => {
    terminal = new Terminal(place);
    transcript = new Transcript(terminal);
  });

  afterEach(() => terminal.close());

  /** The id that a key, token or brake got in the last command's JSON. */
  async function idOf(argv: readonly string[]): Promise<string> {
    return (JSON.parse((await terminal.run([...argv, "--json"])).out) as { id: string }).id;
  }

  test("the first steps read as the golden transcript says: vendors, then a key's whole life", async () => {
    await transcript.type("vendor list");
    await transcript.type("vendor set stripe", "sk_test_real_secret\n");
    await transcript.type("vendor set twilio --account-sid AC00000000000000000000000000000001 --from-env SECRET", "", {
      environment: { SECRET: "00000000000000000000000000000002" },
    });
    await transcript.type("vendor list");
    await transcript.type("vendor rotate stripe", "sk_test_real_secret_2\n");
    await transcript.type("vendor remove twilio");
    await transcript.type(
      "key issue --template billing --label ray-billing/01 --set customers=cus_1,cus_2 --daily-usd-cap 200 --metadata team=pay",
    );
    const id = await idOf(["key", "issue", "--template", "read-only", "--label", "reader"]);
    await transcript.type("key issue --template billing --label ray-billing/01 --unique-label");
    await transcript.type("key list");
    await transcript.type(`key show ${id}`);
    await transcript.type(`key update ${id} --expires-in 30m --daily-usd-cap 5`);
    await transcript.type(`key update ${id} --unset daily-usd-cap`);
    await transcript.type("budget list");
    await transcript.type(`key revoke ${id} --reason 'looked enough'`);
    await transcript.type(`key revoke ${id}`);
    await transcript.type("key revoke --run ray-billing/01 --hard");
    await transcript.type("key revoke --label-prefix tenant:acme:");
    await transcript.type("key list --active");
    transcript.expectGolden("first-steps");
  });

  test("the red button, tokens and the doctor read as the golden transcript says", async () => {
    await transcript.type("brake --reason 'a page at 2 a.m.'");
    await transcript.type("brake --vendor stripe --label-prefix tenant:acme:");
    await transcript.type("brake list");
    await transcript.type("release --vendor stripe");
    await transcript.type("release");
    await transcript.type("release --vendor stripe --label-prefix tenant:acme:");
    await transcript.type("release");
    await transcript.type("token issue --role issuer --name scheduler --template billing --max-daily-usd 500");
    const id = await idOf(["token", "issue", "--role", "auditor"]);
    await transcript.type("token list");
    await transcript.type(`token revoke ${id}`);
    await transcript.type(`token revoke ${id}`);
    await transcript.type("token issue --role auditor --template billing");
    await transcript.type("alert list");
    await transcript.type("alert test");
    await transcript.type("doctor");
    transcript.expectGolden("operator");
  });

  test("templates are listed, shown, checked and explained as the golden transcript says", async () => {
    const folder = join(terminal.folder, "own");
    mkdirSync(folder);
    writeFileSync(
      join(folder, "spend.yaml"),
      "vendor: stripe\ndaily_usd_cpa: 500\nallowed_endpoints:\n  - POST v1/charges\n",
    );
    writeFileSync(
      join(folder, "mail.yaml"),
      "vendor: resend\nallowed_endpoints: [POST /emails]\nfrom_domains: [example.com]\n",
    );
    const own = (text: string) => text.replaceAll(folder, "OWN");
    await transcript.type("policy list");
    await transcript.type("policy lint");
    const explain = "policy explain --template billing 'POST /v1/payment_intents'";
    await transcript.type(`${explain} -d amount=2999 -d currency=usd`);
    await transcript.type(`${explain} -d 'amount=2999&currency=eur'`);
    await transcript.type(`${explain} -d amount=15000 -d currency=usd --check`);
    await transcript.type("policy explain --template billing 'POST /v1/refunds' -d payment_intent=pi_1");
    await transcript.type("policy explain --template billing 'POST /v1/payment_intents/pi_1/confirm'");
    await transcript.type("policy explain --template billing 'GET /v1/customers/cus_1' --json");
    await transcript.type(`policy lint ${folder}/spend.yaml ${folder}/mail.yaml`);
    await transcript.type("policy show bilings");
    await transcript.type("policy explain --template billing /v1/charges");
    transcript.expectGolden("policies", own);
  });

  test("a run is made a template of, and templates are tried on it, as the golden transcript says", async () => {
    const issued = await terminal.run("key issue --template billing --label ray-billing/01 --json".split(" "));
    const { id: keyId } = JSON.parse(issued.out) as { id: string };
    await recordRun(terminal, keyId);
    const suggested = join(terminal.folder, "ray-billing.yaml");
    await transcript.type("policy suggest --run ray-billing/01");
    await transcript.type(`policy suggest --run ray-billing/01 --margin 0 --out ${suggested}`);
    await transcript.type(`policy suggest --run ray-billing/01 --out ${suggested}`);
    await transcript.type(`policy lint ${suggested}`);
    await transcript.type(`policy replay --template ${suggested} --run ray-billing/01`);
    await transcript.type("policy replay --template refunds --since 1h");
    await transcript.type("policy replay --template billing --set customers=cus_2 --json");
    await transcript.type("policy replay --template billing --run nobody");
    await transcript.type("policy replay --template gone.yaml");
    await transcript.type("policy replay --template billing --since yesterday");
    await transcript.type("policy suggest --run nobody");
    await transcript.type("policy suggest --run ray-billing/01 --margin lots");
    await transcript.type("policy suggest --run ray-billing/01 --out Ray.yml");
    transcript.expectGolden("policy-tuning", (text) => text.replaceAll(terminal.folder, "FOLDER"));
  });

  test("budgets above keys are listed and checked as the golden transcript says", async () => {
    const folder = join(terminal.folder, "own");
    mkdirSync(folder);
    const path = join(folder, "budgets.yaml");
    writeFileSync(
      path,
      'budgets:\n  - { name: platform, daily_usd_cap: 10000 }\n  - { name: per-tenant, match: { label_prefix: "tenant:*:" }, daily_usd_cap: 500 }\n',
    );
    const own = (text: string) => text.replaceAll(folder, "OWN");
    await transcript.type(`--policies ${folder} policy lint`);
    await transcript.type(`--policies ${folder} budget list`);
    await transcript.type(`--policies ${folder} budget list --label-contains tenant --json`);
    copyFileSync("policies/billing.yaml", join(folder, "billing.yaml"));
    const explain = `--policies ${folder} policy explain --template billing 'POST /v1/payment_intents' -d currency=usd`;
    await transcript.type(`${explain} -d amount=2999`);
    writeFileSync(path, "budgets:\n  - { name: platform, daily_usd_cap: 100, total_usd_cap: 20 }\n");
    await transcript.type(`${explain} -d amount=2999`);
    writeFileSync(path, "budgets:\n  - { name: platform, daily_usd_cpa: 5 }\n  - { name: per tenant }\n");
    await transcript.type(`--policies ${folder} policy lint`);
    await transcript.type(`--policies ${folder} budget list`);
    transcript.expectGolden("budgets", own);
  });

  test("wrong usage is said in two lines, with exit code 2", async () => {
    await transcript.type("vednor list");
    await transcript.type("key isue --template billing");
    await transcript.type("key issue --templat billing");
    await transcript.type("key issue");
    await transcript.type("key issue --template billing --quiet --json");
    await transcript.type("key issue --template billing --set customers");
    await transcript.type("key issue --template bilings");
    await transcript.type("key issue --template billing --daily-usd-cap 9000");
    await transcript.type("key revoke");
    await transcript.type("key revoke vk_nothere");
    await transcript.type("key show vault_key_this_is_no_id");
    await transcript.type("key update vk_1");
    await transcript.type("key update vk_1 --unset daily_usd");
    await transcript.type("audit --since yesterday");
    await transcript.type("audit --verdict cap_exeeded");
    await transcript.type("audit --follow --json");
    await transcript.type("audit --limit 0");
    await transcript.type("audit --format xml");
    await transcript.type("vendor list surplus");
    await transcript.type("vendor rotate resend", "re_test_real_secret");
    await transcript.type("vendor set nobody", "sk_test_real_secret");
    await transcript.type("--store mysql://db vendor list", "", { local: "the store is the server's" });
    await transcript.type("vendor list", "", {
      environment: { KEYBRAKE_URL: "https://brakes.example", KEYBRAKE_API_KEY: "kb_admin_x" },
    });
    transcript.expectGolden("wrong-usage");
  });
});
