import { existsSync, statSync } from "node:fs";
import { Problem } from "../core/problem.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/store.ts";

/** Looked at with every verb of the store, too; this is for a server without calls, whose log should say it all the same. */
const LOOK_EVERY_MS = 500;

/**
 * The database, its log, and the memory by which processes share them. Without the second, commits are lost at the next
 * start; without the third, two processes no longer see each other's locks.
 */
const PARTS = ["", "-wal", "-shm"] as const;

/** Tells a file from any other that bears its name: undefined where there is none. */
export type Identify = (path: string) => string | undefined;

/**
 * Device and inode. An inode is not given out again while a process has it open, deleted or not. As numbers, which take half
 * the time of bigints: of a file system whose inodes go beyond 2^53 two would have to differ in their last digits alone.
 */
export function identityOf(path: string): string | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    return found && `${found.dev}:${found.ino}`;
  } catch {
    // A directory on the way that cannot be entered any more: nobody can say that the file is still there.
    return undefined;
  }
}

/**
 * Whether the files that were opened are still those under their names. SQLite goes on writing to a file that was deleted
 * or replaced: every hold would be gone after a restart, and the caps with them (spec: stop rather than guess).
 */
export class StoreWatch {
  readonly #path: string;
  readonly #log: Log;
  readonly #identify: Identify;
  readonly #exists: (path: string) => boolean;
  /** By part; a part that was not there yet is known from when it is first seen. */
  readonly #known = new Map<string, string>();
  #cause: string | undefined;
  /** Another process may have worked on another file meanwhile: what was opened is no longer the newest. */
  #final = false;

  /** @param path the database file, open already. */
  constructor(path: string, log: Log, identify: Identify = identityOf, exists: (path: string) => boolean = existsSync) {
    this.#path = path;
    this.#log = log;
    this.#identify = identify;
    this.#exists = exists;
    this.cause();
  }

  /** Why the store must not be used, or undefined; what changes is logged, once. */
  cause(): string | undefined {
    if (this.#final) return this.#cause;
    const before = this.#cause;
    this.#cause = this.#look();
    if (this.#cause !== before) this.#tell();
    return this.#cause;
  }

  /** @throws Problem `unavailable` while the files are not the ones that were opened. */
  assertInPlace(): void {
    const cause = this.cause();
    if (cause !== undefined) throw new Problem("unavailable", cause, this.#hint());
  }

  /**
   * Whether the names are there at all: a tenth of the price of `assertInPlace`, and enough to keep work off files that may
   * be moved back. One that was replaced is never used again, whatever was still written to it.
   * @throws Problem `unavailable` where one is not.
   */
  assertThere(): void {
    if (this.#cause === undefined && !this.#isAnyGone()) return;
    this.assertInPlace();
  }

  #isAnyGone(): boolean {
    for (const part of this.#known.keys()) if (!this.#exists(this.#path + part)) return true;
    return false;
  }

  #look(): string | undefined {
    for (const part of PARTS) {
      const path = `${this.#path}${part}`;
      const found = this.#identify(path);
      const known = this.#known.get(part);
      if (known === undefined && found !== undefined) this.#known.set(part, found);
      if (known === undefined || known === found) continue;
      this.#final = found !== undefined;
      return found === undefined ? `${path} is gone` : `${path} is another file than the one that was opened`;
    }
    return undefined;
  }

  #tell(): void {
    if (this.#cause === undefined) this.#log.info("store_back", { path: this.#path });
    else this.#log.error("store_unavailable", { cause: this.#cause, hint: this.#hint() });
  }

  #hint(): string {
    return this.#final
      ? "calls are refused until keybrake is restarted; make sure first that the file is the one to go on with"
      : "calls are refused until the same file is moved back; or restart keybrake with a backup";
  }
}

/**
 * Verbs that may read what is no longer there: the data plane's own reading before the ledger decides, which then
 * refuses; and the end.
 */
const UNGUARDED: ReadonlySet<PropertyKey> = new Set(["findKeyByHash", "listVendors", "close"]);

/**
 * The store, refusing every verb while the files are not in their places. Above all after the work: what was committed to
 * a file that is another one by then is not durable, and nothing may be forwarded on it.
 */
export function guardStore(store: Store, watch: StoreWatch): Store {
  return new Proxy(store, {
    get(target, name) {
      const verb: unknown = Reflect.get(target, name);
      if (typeof verb !== "function" || UNGUARDED.has(name)) return verb;
      return async (...given: unknown[]) => {
        watch.assertThere();
        const result: unknown = await verb.apply(target, given);
        watch.assertInPlace();
        return result;
      };
    },
  });
}

/** Looks from now on; the function it gives ends that. */
export function startStoreWatch(watch: StoreWatch): () => void {
  const timer = setInterval(() => watch.cause(), LOOK_EVERY_MS);
  return () => clearInterval(timer);
}
