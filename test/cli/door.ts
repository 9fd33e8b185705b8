import { createApi } from "../../src/api/api.ts";
import { sameBytes } from "../../src/audit/chained-row.ts";
import { type Config, type Environment, readConfig } from "../../src/config.ts";
import type { RemoteSetting } from "../../src/config-remote.ts";
import type { Clock } from "../../src/core/clock.ts";
import { type Actor, type ControlPlane, LOCAL_ADMIN } from "../../src/operate/control-plane.ts";
import { createControlPlane } from "../../src/operate/create-control-plane.ts";
import { openInstallation } from "../../src/operate/installation.ts";
import { SANDBOX_ACCOUNT_IDS } from "../../src/sandbox/sandbox.ts";
import type { ControlTokenRecord, Store } from "../../src/store/store.ts";
import { StoreProbe } from "../../src/store/store-probe.ts";
import { mintControlToken } from "../../src/vault/control-token.ts";

export interface Door {
  readonly remote: Pick<RemoteSetting, "url" | "token">;
  close(): Promise<void>;
}

/** No token of this id is in any store. */
const DOORKEEPER = "tok_doorkeeper";

/** The flags that a command line has for its own machine: with a server they are the server's. */
const PLACE_FLAGS = ["--data", "--policies", "--store"];

/** Commands that are of this machine by nature, whatever KEYBRAKE_URL says (docs/remote.md). */
const LOCAL = ["policy lint", "policy new", "vendor lint", "blowout", "audit verify --file", "backup", "restore"];

/** Whether a command line is for the server's own machine. */
export function isLocal(argv: readonly string[]): boolean {
  const words = splitPlace(argv).rest.join(" ");
  return LOCAL.some((name) => words.startsWith(name));
}

/** `argv` without the flags that say where, and those. */
export function splitPlace(argv: readonly string[]): {
  readonly rest: string[];
  readonly place: Readonly<Record<string, string>>;
} {
  const rest: string[] = [];
  const place: Record<string, string> = {};
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!;
    if (word === "--") return { rest: [...rest, ...argv.slice(index)], place };
    if (PLACE_FLAGS.includes(word)) place[word.slice(2)] = argv[++index] ?? "";
    else rest.push(word);
  }
  return { rest, place };
}

/**
 * The control API on a data directory, over a real socket. Its token is known to nobody but the door and is an admin's
 * without an id, like the local command line: what is done through it reads the same afterwards.
 */
export async function openDoor(
  place: Readonly<Record<string, string>>,
  environment: Environment,
  clock: Clock,
  own: Partial<ControlPlane> = {},
): Promise<Door> {
  const config: Config = readConfig(place, environment);
  const { store, ...installation } = await openInstallation(config, clock);
  const control = createControlPlane({
    store,
    ...installation,
    clock,
    config,
    vendors: config.vendors,
    environment,
    sandboxAccountIds: SANDBOX_ACCOUNT_IDS,
    tryAlert: async () => ({ httpStatus: 204, problem: null }),
    onHardStop: () => {},
  });
  const { token, hash } = mintControlToken("admin");
  const doorkeeper: ControlTokenRecord = {
    id: DOORKEEPER,
    tokenHash: hash,
    role: "admin",
    name: null,
    templates: null,
    maxDailyMicros: null,
    createdAt: clock.now(),
    revokedAt: null,
  };
  const known: Store = {
    ...store,
    findTokenByHash: async (given) => (sameBytes(given, hash) ? doorkeeper : store.findTokenByHash(given)),
  };
  const log = { info: () => {}, error: (event: string, fields?: object) => console.error(event, fields) };
  const probe = new StoreProbe(store, clock);
  const metrics = { text: async () => "" };
  const options = { store: known, clock, config, masterKey: installation.masterKey, log, probe, metrics };
  const api = createApi({ ...options, control: asLocal({ ...control, ...own }) });
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: (request) => api.handle(request) });
  return {
    remote: { url: `http://127.0.0.1:${server.port}`, token: token.reveal() },
    close: async () => {
      await server.stop(true);
      await store.close();
    },
  };
}

/** Whatever the doorkeeper asks for is asked by the local admin. */
function asLocal(control: ControlPlane): ControlPlane {
  const isDoorkeeper = (value: unknown) => (value as Actor | undefined)?.tokenId === DOORKEEPER;
  return new Proxy(control, {
    get: (target, name) => {
      const verb = Reflect.get(target, name) as (...given: unknown[]) => unknown;
      return (...given: unknown[]) => verb(...given.map((each) => (isDoorkeeper(each) ? LOCAL_ADMIN : each)));
    },
  });
}
