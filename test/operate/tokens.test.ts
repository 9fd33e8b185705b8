import { afterEach, beforeEach, expect, test } from "bun:test";
import type { IssueTokenRequest } from "../../src/operate/control-plane.ts";
import { actorOf, findLivingToken } from "../../src/operate/tokens.ts";
import { parseControlToken } from "../../src/vault/control-token.ts";
import { type Installed, install, problemOf } from "./installed.ts";

let installed: Installed;

beforeEach(async () => {
  installed = await install();
});
afterEach(() => installed.close());

function hashOf(token: string): Uint8Array {
  const parsed = parseControlToken(token);
  return parsed.ok ? parsed.hash : new Uint8Array();
}

test("gives a token once, and its bearer is then an actor with its limits", async () => {
  const request = { role: "issuer", name: "ray cluster", templates: ["billing"], max_daily_usd: "100" } as const;
  const issued = await installed.control.issueToken(request);
  expect(issued).toMatchObject({
    role: "issuer",
    name: "ray cluster",
    templates: ["billing"],
    max_daily_usd: "100.00",
  });
  expect(actorOf((await findLivingToken(installed.store, hashOf(issued.token)))!)).toEqual({
    role: "issuer",
    tokenId: issued.id,
    templates: ["billing"],
    maxDailyMicros: 100_000_000n,
  });
  expect(JSON.stringify(await installed.control.listTokens())).not.toContain(issued.token);
});

test("a revoked token is nobody's from the next request on", async () => {
  const { id, token } = await installed.control.issueToken({ role: "admin" });
  expect(await installed.control.revokeToken(id)).toEqual({ id, revoked: true });
  expect(await installed.control.revokeToken(id)).toEqual({ id, revoked: false });
  expect(await findLivingToken(installed.store, hashOf(token))).toBeUndefined();
  expect((await installed.control.listTokens())[0]!.revoked_at).toBe("2026-01-01T00:00:00.000Z");
  expect((await problemOf(() => installed.control.revokeToken("tok_none"))).code).toBe("not_found");
});

const REFUSED: readonly (readonly [what: string, request: IssueTokenRequest, message: RegExp])[] = [
  ["another role", { role: "root" as never }, /admin, issuer, auditor/],
  ["an admin with a ceiling that would not bind", { role: "admin", max_daily_usd: 5 }, /bind an issuer/],
  ["an auditor with templates", { role: "auditor", templates: ["billing"] }, /bind an issuer/],
  ["an empty list of templates", { role: "issuer", templates: [] }, /empty/],
  ["a template that there is not", { role: "issuer", templates: ["biling"] }, /did you mean billing/],
  ["a ceiling that is no amount", { role: "issuer", max_daily_usd: "-5" }, /max_daily_usd/],
  ["a name with control characters", { role: "admin", name: "a\nb" }, /name/],
];

test.each(REFUSED)("refuses %s", async (_what, request, message) => {
  const problem = await problemOf(() => installed.control.issueToken(request));
  expect(problem.code).toBe("invalid");
  expect(problem.message).toMatch(message);
  expect(await installed.control.listTokens()).toEqual([]);
});
