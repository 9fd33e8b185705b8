import { Problem } from "../core/problem.ts";
import type { Actor } from "../operate/control-plane.ts";
import type { Standing } from "../operate/sessions.ts";
import { actorOf, findLivingToken } from "../operate/tokens.ts";
import type { ControlTokenRecord } from "../store/store.ts";
import { parseControlToken } from "../vault/control-token.ts";
import { parseSessionId } from "../vault/session-id.ts";
import { parseVaultKey } from "../vault/vault-key.ts";
import { ApiProblem } from "./api-problem.ts";
import { FailedTries } from "./failed-tries.ts";
import { refuseForeignUse } from "./guard.ts";
import { peerOf } from "./peer.ts";
import { type Access, accessOf, isOpen } from "./routes.ts";
import { endedCookie, readSessionCookie } from "./session-cookie.ts";
import type { ApiOptions } from "./setting.ts";

/** Of the metrics, where `metrics.access` asks for a token: they tell what all keys spend, as the audit does. */
const METRICS_READERS: Access = ["admin", "auditor"];

type GateOptions = Pick<ApiOptions, "store" | "clock" | "config" | "pause">;

type Caller =
  | { readonly is: "vault_key"; readonly tokenHash: Uint8Array }
  | {
      readonly is: "operator";
      readonly by: "token" | "session";
      readonly hash: Uint8Array;
      readonly standing: Standing;
    };

/** Who is at the door, and what they may do: every request passes `identify` before it is read and `admit` before it is handled. */
export class Gate {
  readonly #options: GateOptions;
  readonly #callers = new WeakMap<Request, Caller>();
  readonly #peers = new WeakMap<Request, string>();
  readonly #failedTries: FailedTries;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#failedTries = new FailedTries(options.clock, options.pause);
  }

  /** Notes where a request comes from, before it is identified. */
  arrived(request: Request, socketAddress: string | undefined): void {
    const peer = peerOf(this.#options.config, request, socketAddress);
    if (peer !== undefined) this.#peers.set(request, peer);
  }

  /**
   * By `Authorization`, and only where there is none by the session's cookie: what a program says of itself is never mixed
   * with what its browser adds.
   * @throws ApiProblem 401 where neither stands for somebody, unless anyone may ask; 403 for a session used by another site.
   */
  async identify(request: Request): Promise<void> {
    const { pathname } = new URL(request.url);
    if (isOpen(request.method, pathname) && !this.#isClosed(pathname)) return;
    const authorization = request.headers.get("authorization");
    const caller =
      authorization === null ? await this.#bySession(request) : await this.#byToken(request, authorization);
    this.#callers.set(request, caller);
  }

  /** @throws ApiProblem 401 or Problem `forbidden` where the table of routes does not let this caller in. */
  admit(request: Request, route: string): void {
    const access = this.#isClosed(route) ? METRICS_READERS : accessOf(request.method, route);
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
    const { role } = caller.standing.token;
    if (access.includes(role)) return;
    const roles = access.join(" or ");
    throw new Problem("forbidden", `the role ${role} may not do this`, `use a token with the role ${roles}`);
  }

  #isClosed(path: string): boolean {
    return path === "/metrics" && this.#options.config.metricsAccess === "token";
  }

  actorOf(request: Request): Actor {
    return actorOf(this.standingOf(request).token);
  }

  /** What the operator stands on who asks. */
  standingOf(request: Request): Standing {
    const caller = this.#callers.get(request);
    if (caller?.is !== "operator") throw new Error("a handler ran without its operator");
    return caller.standing;
  }

  isSession(request: Request): boolean {
    const caller = this.#callers.get(request);
    return caller?.is === "operator" && caller.by === "session";
  }

  /** The hash of the vault key that the request bears. */
  vaultKeyOf(request: Request): Uint8Array {
    const caller = this.#callers.get(request);
    if (caller?.is !== "vault_key") throw new Error("a handler ran without its vault key");
    return caller.tokenHash;
  }

  /** Whether what a request was let in with is still good: for answers that last. */
  async isStillGood(request: Request): Promise<boolean> {
    const caller = this.#callers.get(request);
    if (caller?.is !== "operator") return false;
    const { store, clock } = this.#options;
    if (caller.by === "session") return (await store.findSession(caller.hash, clock.now())) !== undefined;
    return (await findLivingToken(store, caller.hash)) !== undefined;
  }

  /** @throws ApiProblem 401, after a while, where `text` is not a control token that is in force. */
  async controlToken(request: Request, text: string): Promise<ControlTokenRecord> {
    const parsed = parseControlToken(text);
    const token = parsed.ok ? await findLivingToken(this.#options.store, parsed.hash) : undefined;
    if (!token) throw await this.#slowed(request, wrongToken(parsed.ok ? "unknown" : parsed.why));
    return token;
  }

  /** The refusal of a try that failed, when its time has come; or that there have been too many. */
  async #slowed(request: Request, refusal: ApiProblem): Promise<ApiProblem> {
    const later = await this.#failedTries.failed(this.#peers.get(request));
    if (!later) return refusal;
    const seconds = String(Math.ceil(later.retryAfterMs / 1000));
    return new ApiProblem(
      429,
      "too_many_failures",
      "too many tokens that are not good have come from this address",
      "a good one is taken at once",
      { "retry-after": seconds, connection: "close" },
    );
  }

  async #byToken(request: Request, authorization: string): Promise<Caller> {
    const text = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (text === undefined) throw tokenMissing();
    const vaultKey = parseVaultKey(text);
    if (vaultKey.ok) return { is: "vault_key", tokenHash: vaultKey.hash };
    const token = await this.controlToken(request, text);
    return { is: "operator", by: "token", hash: token.tokenHash, standing: { token, expiresAt: null } };
  }

  async #bySession(request: Request): Promise<Caller> {
    const { store, clock, config } = this.#options;
    const id = readSessionCookie(config, request);
    if (id === undefined) throw tokenMissing();
    refuseForeignUse(request);
    const hash = parseSessionId(id);
    const standing = hash && (await store.findSession(hash, clock.now()));
    if (!standing) {
      const ended = { "set-cookie": endedCookie(config, request) };
      throw await this.#slowed(request, unauthenticated("this session has ended", "sign in again", "", ended));
    }
    return { is: "operator", by: "session", hash, standing };
  }
}

function tokenMissing(): ApiProblem {
  return unauthenticated("the control plane needs a token", "send Authorization: Bearer <KEYBRAKE_API_KEY>", "");
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
function unauthenticated(
  message: string,
  hint: string,
  parameters: string,
  headers: Readonly<Record<string, string>> = {},
): ApiProblem {
  const challenge = { "www-authenticate": `Bearer realm="keybrake"${parameters}` };
  return new ApiProblem(401, "unauthenticated", message, hint, { ...challenge, ...headers });
}
