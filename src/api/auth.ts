import { Problem } from "../core/problem.ts";
import type { Actor, ControlPlane } from "../operate/control-plane.ts";
import { parseControlToken } from "../vault/control-token.ts";
import { parseVaultKey } from "../vault/vault-key.ts";
import { ApiProblem } from "./api-problem.ts";
import { accessOf, isOpenPath } from "./routes.ts";

type Caller =
  | { readonly is: "vault_key"; readonly tokenHash: Uint8Array }
  | { readonly is: "operator"; readonly tokenHash: Uint8Array; readonly actor: Actor };

/** Who is at the door, and what they may do: every request passes `identify` before it is read and `admit` before it is handled. */
export class Gate {
  readonly #control: Pick<ControlPlane, "findActor">;
  readonly #callers = new WeakMap<Request, Caller>();

  constructor(control: Pick<ControlPlane, "findActor">) {
    this.#control = control;
  }

  /** @throws ApiProblem 401 where no known token stands in `Authorization`, unless the path is open to anyone. */
  async identify(request: Request): Promise<void> {
    if (isOpenPath(new URL(request.url).pathname)) return;
    const text = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    if (text === undefined) {
      throw unauthenticated("the control plane needs a token", "send Authorization: Bearer <KEYBRAKE_API_KEY>", "");
    }
    const vaultKey = parseVaultKey(text);
    if (vaultKey.ok) {
      this.#callers.set(request, { is: "vault_key", tokenHash: vaultKey.hash });
      return;
    }
    const token = parseControlToken(text);
    const actor = token.ok ? await this.#control.findActor(token.hash) : undefined;
    if (!token.ok || !actor) throw wrongToken(token.ok ? "unknown" : token.why);
    this.#callers.set(request, { is: "operator", tokenHash: token.hash, actor });
  }

  /** @throws ApiProblem 401 or Problem `forbidden` where the table of routes does not let this caller in. */
  admit(request: Request, route: string): void {
    const access = accessOf(request.method, route);
    if (access === "anyone") return;
    const caller = this.#callers.get(request);
    if (access === undefined) throw new Problem("forbidden", "this route has no access rule");
    if (!caller) throw unauthenticated("the control plane needs a token", "send Authorization: Bearer …", "");
    if (access === "vault_key" && caller.is !== "vault_key") {
      throw new Problem("forbidden", "this route is for vault keys", "GET /vault/keys/{id} shows a key to operators");
    }
    if (access === "vault_key") return;
    if (caller.is === "vault_key") {
      const hint = "an agent's key can ask for GET /vault/self; operators use a control token";
      throw new Problem("forbidden", "a vault key cannot operate the control plane", hint);
    }
    if (access.includes(caller.actor.role)) return;
    const roles = access.join(" or ");
    throw new Problem(
      "forbidden",
      `the role ${caller.actor.role} may not do this`,
      `use a token with the role ${roles}`,
    );
  }

  actorOf(request: Request): Actor {
    const caller = this.#callers.get(request);
    if (caller?.is !== "operator") throw new Error("a handler ran without its operator");
    return caller.actor;
  }

  /** The hash of the vault key that the request bears. */
  vaultKeyOf(request: Request): Uint8Array {
    const caller = this.#callers.get(request);
    if (caller?.is !== "vault_key") throw new Error("a handler ran without its vault key");
    return caller.tokenHash;
  }

  /** Whether the token of a request that has been let in is still good: for answers that last. */
  async isStillGood(request: Request): Promise<boolean> {
    const caller = this.#callers.get(request);
    return caller !== undefined && (await this.#control.findActor(caller.tokenHash)) !== undefined;
  }
}

function wrongToken(why: "unknown" | "not_a_control_token" | "bad_checksum"): ApiProblem {
  const error = ', error="invalid_token"';
  if (why === "bad_checksum")
    return unauthenticated("this token is damaged (its checksum does not fit)", "copy it again", error);
  if (why === "unknown") {
    return unauthenticated("this token is not known to this server, or was revoked", "keybrake token list", error);
  }
  return unauthenticated("this is not a token of the control plane", "keybrake token issue makes one", error);
}

/** RFC 6750 §3. */
function unauthenticated(message: string, hint: string, parameters: string): ApiProblem {
  const challenge = { "www-authenticate": `Bearer realm="keybrake"${parameters}` };
  return new ApiProblem(401, "unauthenticated", message, hint, challenge);
}
