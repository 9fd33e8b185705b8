import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { SEED_BODY, serve } from "./served.ts";

test("GET /budgets tells the budgets above keys on its first page, and none of them to an issuer", async () => {
  const served = await serve();
  try {
    writeFileSync(served.budgets.path, "budgets: [{ name: platform, daily_usd_cap: 100 }]");
    for (let key = 0; key < 2; key++) await served.call("POST", "/vault/keys", { body: SEED_BODY });
    const ask = async (query: string, token = served.tokens.auditor) => {
      const { status, text } = await served.call("GET", `/budgets${query}`, { token });
      expect(status).toBe(200);
      return JSON.parse(text) as { shared: object[]; budgets: object[]; next_cursor: string | null };
    };
    const first = await ask("?limit=1");
    expect(first.shared).toMatchObject([{ budget: "platform", cap: "100.00", used: "0.00", member: null }]);
    expect(first.budgets).toMatchObject([{ budget: "daily_usd_cap" }]);
    expect(await ask(`?limit=1&cursor=${first.next_cursor}`)).toMatchObject({ shared: [], budgets: [{}] });
    expect((await ask("?label_contains=tenant")).shared).toEqual([]);
    expect((await ask("", served.tokens.issuer)).shared).toEqual([]);
  } finally {
    await served.close();
  }
});
