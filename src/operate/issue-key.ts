import { timeOrderedId } from "../core/id.ts";
import { Problem } from "../core/problem.ts";
import type { Secret } from "../core/secret.ts";
import { policyWarnings } from "../policy/lint.ts";
import type { VaultKeyRecord } from "../store/store.ts";
import { alphanumericForm, mintVaultKey } from "../vault/vault-key.ts";
import type { Vendor } from "../vendors/vendor.ts";
import { refuseReader } from "./actor.ts";
import type { Actor, IssuedKeyView, IssueKeyRequest } from "./control-plane.ts";
import { checkLabel, checkMetadata, checkName } from "./free-text.ts";
import { keyToBeLike, whoOf } from "./issue-like.ts";
import { lifetimeMs, policyOfRequest } from "./key-policy.ts";
import { baseUrl, unspentKeyView } from "./key-view.ts";
import type { ControlPlaneOptions } from "./options.ts";

/** `unique_label` was asked for, and an active key has the label. */
export class LabelInUse extends Problem {
  readonly keyId: string;

  constructor(label: string, keyId: string) {
    super(
      "conflict",
      `the active key ${keyId} has the label ${JSON.stringify(label)}`,
      "use that key, or revoke it first",
    );
    this.keyId = keyId;
  }
}

/** Issues a vault key. The answer is the one place where the key itself stands; the store keeps its hash. */
export async function issueKey(
  options: ControlPlaneOptions,
  request: IssueKeyRequest,
  actor: Actor,
): Promise<IssuedKeyView> {
  refuseReader(actor);
  const { store, clock, config } = options;
  const like = request.like === undefined ? undefined : await keyToBeLike(options, request, request.like, actor);
  const { policy, vendors } = policyOfRequest(options, request, actor, like);
  const { label, agentName, metadata } = whoFor(like === undefined ? request : { ...whoOf(like), ...request });
  const now = clock.now();
  const minted = mintVaultKey();
  const record: VaultKeyRecord = {
    id: timeOrderedId("vk", now),
    tokenHash: minted.hash,
    hint: minted.hint,
    vendors: vendors.map(({ name }) => name),
    label,
    agentName,
    template: request.template ?? like?.template ?? null,
    policy,
    version: 1,
    createdAt: now,
    expiresAt: now + lifetimeMs(options, policy),
    revokedAt: null,
    revokeReason: null,
    autoRevoked: null,
    metadata,
    issuedBy: actor.tokenId,
  };
  const inserted = await store.insertKey(record, request.unique_label === true);
  if (!inserted.inserted) throw new LabelInUse(label ?? "", inserted.activeKeyId);
  return {
    ...unspentKeyView(record, config.publicUrl, now),
    ...(await revealed(options, vendors, minted.token)),
    warnings: policyWarnings(policy, vendors, config.currencyRates),
  };
}

function whoFor(request: IssueKeyRequest): Pick<VaultKeyRecord, "label" | "agentName" | "metadata"> {
  const label = request.agent_run_label === undefined ? null : checkLabel(request.agent_run_label);
  if (request.unique_label === true && label === null) {
    throw new Problem("invalid", "unique_label needs an agent_run_label to be unique", "give the label");
  }
  const metadata = checkMetadata(request.metadata ?? {});
  // Callers that put everything they know into the metadata are understood, too.
  const agentName = request.agent_name ?? metadata["agent_name"];
  return { label, agentName: agentName === undefined ? null : checkName(agentName, "agent_name"), metadata };
}

type Revealed = Pick<IssuedKeyView, "vault_key" | "token" | "vault_key_alphanumeric" | "agent_lines" | "environment">;

async function revealed(options: ControlPlaneOptions, vendors: readonly Vendor[], minted: Secret): Promise<Revealed> {
  const token = minted.reveal();
  const stored = await options.store.listVendors();
  const places = vendors.map((vendor) => {
    const { name } = vendor;
    const known = stored.find((record) => record.name === name)?.accountId;
    const accountId = known || (options.sandboxAccountIds?.get(name) ?? "");
    return { vendor, at: [baseUrl(options.config.publicUrl, name), token, { accountId }] as const };
  });
  return {
    vault_key: token,
    token,
    vault_key_alphanumeric: alphanumericForm(token),
    agent_lines: places.flatMap(({ vendor, at }) =>
      vendor.agentLines(...at).map((snippet) => ({ vendor: vendor.name, ...snippet })),
    ),
    environment: Object.assign({}, ...places.map(({ vendor, at }) => vendor.agentEnvironment(...at))),
  };
}
