import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { IssueKeyRequest } from "../../src/operate/control-plane.ts";
import { ADMIN, type Installed, install, issuer, problemOf } from "./installed.ts";

let installed: Installed;

beforeEach(async () => {
  installed = await install();
});
afterEach(() => installed.close());

const FIRST: IssueKeyRequest = {
  template: "billing",
  inputs: { customers: "cus_1,cus_2" },
  policy: { daily_usd_cap: 200 },
  expires_in: "1h",
  agent_run_label: "ray-billing/01",
  agent_name: "charger",
  metadata: { tenant: "acme" },
};
const like = (id: string, more: Partial<IssueKeyRequest> = {}): IssueKeyRequest => ({ like: id, policy: {}, ...more });

describe("a key like another", () => {
  test("has its policy, template, lifetime, label, agent and metadata, and another token", async () => {
    const first = await installed.control.issueKey(FIRST, ADMIN);
    await installed.control.revokeKeys({ ids: [first.id] }, ADMIN);
    const second = await installed.control.issueKey(like(first.id), ADMIN);
    const { policy, template, vendors, agent_run_label, agent_name, metadata, expires_at } = first;
    expect(second).toMatchObject({ policy, template, vendors, agent_run_label, agent_name, metadata, expires_at });
    expect(second.status).toBe("active");
    expect(second.vault_key).not.toBe(first.vault_key);
  });

  test("has what the request says of itself, and rules that are only narrower", async () => {
    const first = await installed.control.issueKey(FIRST, ADMIN);
    const own = { agent_run_label: "ray-billing/02", policy: { daily_usd_cap: 50 } };
    const second = await installed.control.issueKey(like(first.id, own), ADMIN);
    expect(second).toMatchObject({ agent_run_label: "ray-billing/02", agent_name: "charger" });
    expect(second.policy).toMatchObject({ daily_usd_cap: "50.00", customers: ["cus_1", "cus_2"] });
    const wider = like(first.id, { policy: { daily_usd_cap: 900 } });
    expect((await problemOf(() => installed.control.issueKey(wider, ADMIN))).message).toContain("daily_usd_cap");
  });

  test("is refused beside a template, and for a key that there is not", async () => {
    const first = await installed.control.issueKey(FIRST, ADMIN);
    const both = like(first.id, { template: "billing" });
    expect((await problemOf(() => installed.control.issueKey(both, ADMIN))).code).toBe("invalid");
    expect((await problemOf(() => installed.control.issueKey(like("vk_nobody"), ADMIN))).code).toBe("not_found");
  });

  test("is an issuer's only where the other one is its own, of its templates and as its template made it", async () => {
    const bound = issuer({ templates: ["billing"] });
    const [own, foreign] = [
      await installed.control.issueKey(FIRST, bound),
      await installed.control.issueKey(FIRST, ADMIN),
    ];
    expect((await installed.control.issueKey(like(own.id), bound)).template).toBe("billing");
    expect((await problemOf(() => installed.control.issueKey(like(foreign.id), bound))).code).toBe("not_found");
    const elsewhere = issuer({ templates: ["email"] });
    expect((await problemOf(() => installed.control.issueKey(like(own.id), elsewhere))).code).toBe("forbidden");
    // Allowed to this one key by an admin, and not to every key that is made like it.
    await installed.control.updateKey(own.id, { policy: { daily_usd_cap: 9000 } }, ADMIN);
    expect((await problemOf(() => installed.control.issueKey(like(own.id), bound))).code).toBe("forbidden");
  });
});
