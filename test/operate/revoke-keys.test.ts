import { afterEach, beforeEach, expect, test } from "bun:test";
import { concerns } from "../../src/core/hard-stop.ts";
import type { Actor, RevokeRequest } from "../../src/operate/control-plane.ts";
import { ADMIN, type Installed, install, issuer, problemOf } from "./installed.ts";

let installed: Installed;
let ids: Readonly<Record<"acme" | "acme2" | "other" | "mail" | "bare", string>>;

beforeEach(async () => {
  installed = await install();
  const key = async (vendor: string, label?: string, actor: Actor = ADMIN) =>
    (
      await installed.control.issueKey(
        { policy: { vendor }, expires_in: "2h", ...(label && { agent_run_label: label }) },
        actor,
      )
    ).id;
  ids = {
    acme: await key("stripe", "tenant:acme:run-1"),
    acme2: await key("stripe", "tenant:acme:run-2", issuer()),
    other: await key("stripe", "tenant:other:run-1"),
    mail: await key("resend", "tenant:acme:mail"),
    bare: await key("stripe"),
  };
});
afterEach(() => installed.close());

type Name = keyof typeof ids;
const SELECTIONS: readonly (readonly [what: string, (name: typeof ids) => RevokeRequest, revoked: readonly Name[]])[] =
  [
    ["ids", (key) => ({ ids: [key.acme, key.bare] }), ["acme", "bare"]],
    ["a label", () => ({ label: "tenant:acme:run-1" }), ["acme"]],
    ["a label prefix", () => ({ label_prefix: "tenant:acme:" }), ["acme", "acme2", "mail"]],
    ["a vendor", () => ({ vendor: "resend" }), ["mail"]],
    ["a vendor and a label prefix", () => ({ vendor: "stripe", label_prefix: "tenant:acme:" }), ["acme", "acme2"]],
    ["all", () => ({ all: true }), ["acme", "acme2", "other", "mail", "bare"]],
  ];

test.each(SELECTIONS)("revokes the keys that %s selects, and no other", async (_what, request, revoked) => {
  const view = await installed.control.revokeKeys({ ...request(ids), reason: "stuck loop" }, ADMIN);
  expect([...view.revoked].sort()).toEqual(revoked.map((name) => ids[name]).sort());
  for (const [name, id] of Object.entries(ids)) {
    const { status, revoke_reason } = await installed.control.showKey(id, ADMIN);
    const isRevoked = revoked.includes(name as Name);
    expect([name, status, revoke_reason]).toEqual([
      name,
      isRevoked ? "revoked" : "active",
      isRevoked ? "stuck loop" : null,
    ]);
  }
});

test("revoking again changes nothing and is no error", async () => {
  await installed.control.revokeKeys({ ids: [ids.acme], reason: "first" }, ADMIN);
  installed.clock.nowMs += 1000;
  const again = await installed.control.revokeKeys({ ids: [ids.acme, ids.bare], reason: "second" }, ADMIN);
  expect(again).toEqual({ revoked: [ids.bare], already_revoked: [ids.acme] });
  expect(await installed.control.showKey(ids.acme, ADMIN)).toMatchObject({
    revoke_reason: "first",
    revoked_at: "2026-01-01T00:00:00.000Z",
  });
});

test("a typo in one id does not keep the others running", async () => {
  const problem = await problemOf(() => installed.control.revokeKeys({ ids: ["vk_typo", ids.acme] }, ADMIN));
  expect(problem.code).toBe("not_found");
  expect(problem.message).toContain("vk_typo");
  expect(problem.message).toContain(ids.acme);
  expect((await installed.control.showKey(ids.acme, ADMIN)).status).toBe("revoked");
});

const REFUSED: readonly (readonly [what: string, request: RevokeRequest])[] = [
  ["nothing at all", {}],
  ["no ids", { ids: [] }],
  ["an empty label", { label: "" }],
  ["an empty prefix, which would be everything", { label_prefix: "" }],
  ["a vendor that there is not", { vendor: "strip" }],
  ["all beside a vendor", { all: true, vendor: "stripe" }],
  ["a reason with a line break", { all: true, reason: "a\nb" }],
];

test.each(REFUSED)("refuses %s, and revokes nothing", async (_what, request) => {
  expect((await problemOf(() => installed.control.revokeKeys(request, ADMIN))).code).toBe("invalid");
  expect((await installed.control.listKeys({ active: true }, ADMIN)).keys).toHaveLength(5);
});

test("an issuer's `all` is all of its own", async () => {
  const view = await installed.control.revokeKeys({ all: true }, issuer());
  expect(view.revoked).toEqual([ids.acme2]);
  expect((await installed.control.listKeys({ active: true }, ADMIN)).keys).toHaveLength(4);
});

test("a plain revoke lets calls in flight end", async () => {
  await installed.control.revokeKeys({ all: true }, ADMIN);
  expect(installed.hardStops).toEqual([]);
});

test("a hard one stops the calls of the keys that it concerns, also of those revoked before", async () => {
  await installed.control.revokeKeys({ label_prefix: "tenant:acme:" }, ADMIN);
  await installed.control.revokeKeys({ label_prefix: "tenant:acme:", hard: true }, ADMIN);
  const [stop] = installed.hardStops;
  expect(concerns(stop!, { keyId: ids.acme, label: "tenant:acme:run-1", vendor: "stripe" })).toBe(true);
  expect(concerns(stop!, { keyId: ids.other, label: "tenant:other:run-1", vendor: "stripe" })).toBe(false);
  expect(concerns(stop!, { keyId: ids.bare, label: null, vendor: "stripe" })).toBe(false);
});

test("a hard one is left in the store for the servers of other processes, and a plain one is not", async () => {
  await installed.control.revokeKeys({ ids: [ids.acme] }, ADMIN);
  expect(await installed.store.hardStopsSince(0)).toEqual([]);
  await installed.control.revokeKeys({ ids: [ids.acme], hard: true }, ADMIN);
  expect(await installed.store.hardStopsSince(0)).toMatchObject([{ keyIds: [ids.acme], scope: null }]);
});

test("a hard one by id concerns that key alone", async () => {
  await installed.control.revokeKeys({ ids: [ids.acme], hard: true }, ADMIN);
  const [stop] = installed.hardStops;
  expect(concerns(stop!, { keyId: ids.acme, label: null, vendor: "stripe" })).toBe(true);
  expect(concerns(stop!, { keyId: ids.acme2, label: "tenant:acme:run-2", vendor: "stripe" })).toBe(false);
});

test("an issuer's hard stop does not reach another's calls", async () => {
  await installed.control.revokeKeys({ label_prefix: "tenant:acme:", hard: true }, issuer());
  const [stop] = installed.hardStops;
  expect(concerns(stop!, { keyId: ids.acme2, label: "tenant:acme:run-2", vendor: "stripe" })).toBe(true);
  expect(concerns(stop!, { keyId: ids.acme, label: "tenant:acme:run-1", vendor: "stripe" })).toBe(false);
});
