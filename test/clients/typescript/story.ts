/**
 * What a program does with the client that was generated from the server's own document: issue, list, self, change, brake,
 * audit, revoke. `test/clients/typescript.test.ts` puts `client.ts` beside a copy of it, has it type-checked, and runs it.
 */
import { Api, type IssuedVaultKey, type Problem } from "./client.ts";

const [base = "", admin = "", auditor = ""] = process.argv.slice(2);

function clientOf(token: string) {
  const client = new Api<string>({
    baseUrl: base,
    securityWorker: (bearer) => (bearer === null ? {} : { headers: { authorization: `Bearer ${bearer}` } }),
  });
  client.setSecurityData(token);
  return client;
}

/** The problem that a request ends with; the client throws its answer. */
async function problemOf(asked: Promise<unknown>): Promise<{ status: number; code: Problem["error"]["code"] }> {
  try {
    await asked;
  } catch (answer) {
    const { status, error } = answer as { status: number; error: Problem };
    return { status, code: error.error.code };
  }
  throw new Error("nothing was refused");
}

const operator = clientOf(admin);
const said: Record<string, unknown> = {};
const issued: IssuedVaultKey = (
  await operator.vault.issueKey({
    vendor: "stripe",
    daily_usd_cap: "500.00",
    allowed_endpoints: ["POST /v1/payment_intents"],
    expires_in: "2h",
    agent_run_label: "clients/typescript",
    metadata: { agent_id: "billing_agent" },
  })
).data;
said["issued"] = issued.id;

const { keys, next_cursor } = (await operator.vault.listKeys({ label: "clients/typescript", active: "true" })).data;
said["listed"] = keys.map(({ id }) => id);
said["next"] = next_cursor;

const agent = clientOf(issued.vault_key);
const self = (await agent.vault.showSelf()).data;
said["self"] = [self.key_id, self.spend.budgets.map(({ remaining }) => remaining)];
said["agent may not list"] = await problemOf(agent.vault.listKeys());

const updated = (await operator.vault.updateKey(issued.id, { daily_usd_cap: 250, expires_in: "30m" })).data;
said["updated"] = updated.policy.daily_usd_cap;
said["misspelt"] = await problemOf(operator.vault.updateKey(issued.id, { daily_usd_capp: 1 } as object));

const brake = (await operator.brake.engageBrake({ label_prefix: "clients/", reason: "a drill" })).data;
said["braked"] = brake.label_prefix;
const paid = await fetch(`${issued.base_url}/v1/payment_intents`, {
  method: "POST",
  headers: { authorization: `Bearer ${issued.vault_key}`, "content-type": "application/x-www-form-urlencoded" },
  body: "amount=500&currency=usd",
});
said["call"] = paid.status;
said["released"] = (await operator.brake.releaseBrake({}, { label_prefix: "clients/" })).data.released.length;

const { rows } = (await clientOf(auditor).audit.listAudit({ key_id: issued.id })).data;
said["audit"] = rows.map(({ policy_verdict, state }) => [policy_verdict, state]);
said["auditor may not revoke"] = await problemOf(clientOf(auditor).vault.revokeKey(issued.id));

said["revoked"] = (await operator.vault.revokeKey(issued.id, { reason: "done" })).data.revoked;
said["again"] = (await operator.vault.revokeKey(issued.id)).data.already_revoked;
console.log(JSON.stringify(said));
