import { Problem } from "../core/problem.ts";
import type { VaultKeyRecord } from "../store/store.ts";
import type { Actor, IssueKeyRequest } from "./control-plane.ts";
import { visibleKey } from "./keys.ts";
import type { ControlPlaneOptions } from "./options.ts";

/**
 * The key that a new one is to be like: revoked and expired ones, too.
 * @throws Problem `not_found` for one that `actor` may not see, `forbidden` where its policy is not its template's any more.
 */
export async function keyToBeLike(
  options: ControlPlaneOptions,
  { template, inputs }: IssueKeyRequest,
  id: string,
  actor: Actor,
): Promise<VaultKeyRecord> {
  if (template !== undefined || inputs !== undefined) {
    throw new Problem(
      "invalid",
      "like and a template are both given; a key has its policy from one of them",
      "leave out like, or template and inputs",
    );
  }
  const key = await visibleKey(options, id, actor);
  // An admin may have allowed this one key more than its template does; that was not for others to be made of it.
  if (actor.role === "issuer" && actor.templates !== null && key.version !== 1) {
    throw new Problem(
      "forbidden",
      `the policy of ${id} was changed after it was issued, and this token issues keys from templates only`,
      "issue the key from its template",
    );
  }
  return key;
}

/** What a key says of whom it is for, as a request says it. */
export function whoOf({
  label,
  agentName,
  metadata,
}: VaultKeyRecord): Pick<IssueKeyRequest, "agent_run_label" | "agent_name" | "metadata"> {
  return {
    ...(label === null ? {} : { agent_run_label: label }),
    ...(agentName === null ? {} : { agent_name: agentName }),
    metadata,
  };
}
