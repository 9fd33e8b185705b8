import { throwAsCapHit } from "./cap-hit.ts";
import { ApiError, KeybrakeError, Misconfigured, Unreachable } from "./errors.ts";
import { type RunKey, VaultKey } from "./key.ts";
import type { IssuedVaultKey, IssueKey } from "./shapes.ts";

/** Where Keybrake is. What is not given comes from KEYBRAKE_URL, KEYBRAKE_API_KEY and KEYBRAKE_ALLOW_HTTP. */
export interface KeybrakeOptions {
  readonly url?: string;
  readonly apiKey?: string;
  /** Plain http:// to another machine: for networks that encrypt by themselves. */
  readonly allowHttp?: boolean;
  readonly timeoutMs?: number;
  /** Told of a key that could not be revoked at the end of its run; without it, console.error is. */
  readonly onRevokeFailure?: (key: VaultKey, failure: KeybrakeError) => void;
}

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);
/** Before the second and the third try. Every request of this package can be made twice. */
const WAITS_MS = [200, 800];

/** A Keybrake server: issues keys and revokes them. */
export class Keybrake {
  readonly #url: string;
  readonly #apiKey: string;
  readonly #timeoutMs: number;
  readonly #onRevokeFailure: (key: VaultKey, failure: KeybrakeError) => void;

  /** Throws Misconfigured. */
  constructor(options: KeybrakeOptions = {}) {
    const allowHttp = options.allowHttp ?? fromEnvironment("KEYBRAKE_ALLOW_HTTP") === "true";
    this.#url = checkedUrl(options.url ?? fromEnvironment("KEYBRAKE_URL") ?? "", allowHttp);
    this.#apiKey = options.apiKey ?? fromEnvironment("KEYBRAKE_API_KEY") ?? "";
    if (this.#apiKey === "") throw new Misconfigured("no control token", "set KEYBRAKE_API_KEY, or pass apiKey");
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#onRevokeFailure = options.onRevokeFailure ?? complain;
  }

  /** Issues a key that nothing revokes but `revoke` and its expiry. Throws ApiError and Unreachable. */
  async issue(request: IssueKey): Promise<VaultKey> {
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    return new VaultKey((await this.#ask("POST", "/vault/keys", request, headers)) as unknown as IssuedVaultKey);
  }

  /** Revokes a key; in force when the promise is kept. A revoked one stays so. Throws ApiError and Unreachable. */
  async revoke(key: VaultKey | string, reason?: string): Promise<void> {
    const id = encodeURIComponent(typeof key === "string" ? key : key.id);
    const query = reason === undefined ? "" : `?${new URLSearchParams({ reason })}`;
    await this.#ask("DELETE", `/vault/keys/${id}${query}`);
  }

  /**
   * Revokes every key with exactly this label, of those that the token's holder has issued: for hooks that know a run and
   * have not seen its key. Throws ApiError and Unreachable.
   */
  async revokeRun(label: string, reason?: string): Promise<void> {
    await this.#ask("POST", "/vault/keys/revoke", reason === undefined ? { label } : { label, reason });
  }

  /** Issues a key for a block: `await using` revokes it at the block's end, however that comes. */
  async vaultKey(request: IssueKey): Promise<RunKey> {
    const key = await this.issue(request);
    return Object.assign(key, { [Symbol.asyncDispose]: () => this.#end(key, "the run ended") });
  }

  /**
   * Runs `body` with a key and revokes it at the end. An SDK's error that tells of a cap is thrown as CapHit; any other
   * goes through as it is.
   */
  async withVaultKey<T>(request: IssueKey, body: (key: VaultKey) => Promise<T> | T): Promise<T> {
    const key = await this.issue(request);
    let reason = "the run ended";
    try {
      return await body(key);
    } catch (error) {
      reason = `the run ended with ${error instanceof Error ? error.name : "an error"}`;
      throwAsCapHit(error);
      throw error;
    } finally {
      await this.#end(key, reason);
    }
  }

  /** Never throws: the block's own outcome stands, and the key stops when it expires. */
  async #end(key: VaultKey, reason: string): Promise<void> {
    try {
      await this.revoke(key, reason);
    } catch (error) {
      this.#onRevokeFailure(key, error instanceof KeybrakeError ? error : new KeybrakeError(String(error)));
    }
  }

  async #ask(method: string, path: string, body?: object, headers: Readonly<Record<string, string>> = {}) {
    for (const waitMs of WAITS_MS) {
      try {
        return await this.#askOnce(method, path, body, headers);
      } catch (error) {
        const mayHelp = error instanceof Unreachable || (error instanceof ApiError && error.status === 503);
        if (!mayHelp) throw error;
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
    return this.#askOnce(method, path, body, headers);
  }

  async #askOnce(
    method: string,
    path: string,
    body: object | undefined,
    headers: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, unknown>>> {
    let status: number;
    let text: string;
    try {
      const answer = await fetch(this.#url + path, {
        method,
        headers: { Authorization: `Bearer ${this.#apiKey}`, "Content-Type": "application/json", ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // The token stays with the address that was named.
        redirect: "manual",
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      status = answer.status;
      text = await answer.text();
    } catch (cause) {
      throw new Unreachable(`Keybrake at ${this.#url} did not answer`, "is it running?", { cause });
    }
    const parsed = parsedObject(text);
    if (status >= 200 && status < 300 && parsed) return parsed;
    throw refusalOf(status, parsed?.["error"]);
  }
}

function refusalOf(status: number, error: unknown): ApiError {
  if (typeof error !== "object" || error === null) {
    return new ApiError(status, "no_keybrake", `Keybrake's address answered ${status}`, "check KEYBRAKE_URL");
  }
  const { code, message, hint, ...details } = error as Readonly<Record<string, unknown>>;
  return new ApiError(status, String(code), String(message), hint === undefined ? undefined : String(hint), details);
}

function parsedObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function checkedUrl(text: string, allowHttp: boolean): string {
  if (text === "") throw new Misconfigured("no address of Keybrake", "set KEYBRAKE_URL, or pass url");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === "http:";
  const isPlain = url !== undefined && url.username === "" && url.search === "" && url.hash === "";
  if (!isPlain || !(isHttp || url.protocol === "https:")) {
    throw new Misconfigured("the address of Keybrake is no http(s) address", "as in https://keybrake.example");
  }
  if (isHttp && !LOOPBACK.has(url.hostname) && !allowHttp) {
    const hint = "use https://, or set KEYBRAKE_ALLOW_HTTP=true on a network that encrypts by itself";
    throw new Misconfigured(`the token would go to ${url.hostname} unencrypted`, hint);
  }
  return text.replace(/\/+$/, "");
}

function complain(key: VaultKey, failure: KeybrakeError): void {
  console.error(`keybrake: the key ${key.id} was not revoked and works until ${key.expiresAt}: ${failure.message}`);
}

/** Not every runtime has an environment. */
function fromEnvironment(name: string): string | undefined {
  const { process } = globalThis as {
    readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
  };
  return process?.env?.[name];
}
