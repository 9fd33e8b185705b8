import { isControlPath } from "./api/api.ts";
import { type Config, type Listen, listenUrl } from "./config.ts";
import type { Clock } from "./core/clock.ts";
import type { Log } from "./log.ts";
import { fromResponse, toRequest } from "./proxy/bridge.ts";
import type { DataPlane } from "./proxy/data-plane.ts";
import { createListener, listenOn } from "./proxy/listener.ts";
import { parseTarget } from "./proxy/parse/target.ts";
import { handleCall } from "./proxy/pipeline.ts";
import { VENDORS } from "./vendors/index.ts";
import { operationOf } from "./vendors/operations.ts";

const VENDOR_NAMES: ReadonlySet<string> = new Set(VENDORS.map(({ name }) => name));

export interface Listening {
  readonly url: string;
  close(): Promise<void>;
}

/** What an address serves: calls, the control plane, or both. */
export type Serving =
  | { readonly plane: DataPlane; readonly control: ((request: Request) => Promise<Response>) | undefined }
  | { readonly plane: undefined; readonly control: (request: Request) => Promise<Response> };

/** Operators are few; their listener has its files from those that are set aside (proxy/open-files.ts). */
const ADMIN_CONNECTIONS_MAX = 64;

export interface ListenOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  /** Connections of agents at once. */
  readonly connectionsMax: number;
}

/** Listens on one address. What is no control path is a call; without a data plane everything is the control plane's. */
export async function listen(
  { config, clock, log, connectionsMax }: ListenOptions,
  at: Listen,
  { plane, control }: Serving,
): Promise<Listening> {
  const server = createListener({
    clock,
    log,
    connectionsMax: plane ? connectionsMax : ADMIN_CONNECTIONS_MAX,
    bodyTimeoutMs: config.limits.bodyTimeoutMs,
    usualBodyBytesMax: config.limits.bodyBytesMax,
    bodyBytesMax: (method, target) => bodyBytesMax(method, target, config.limits.bodyBytesMax),
    onCall: async (call) => {
      if (control && (!plane || isControlPath(call.target.split("?", 1)[0]!))) {
        return fromResponse(await control(toRequest(call)));
      }
      return handleCall(plane!, call, VENDOR_NAMES);
    },
  });
  const port = await listenOn(server, at.host, at.port);
  return {
    url: listenUrl({ host: at.host, port }),
    close: async () => {
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Some operations take larger bodies than the server's limit (file uploads). */
function bodyBytesMax(method: string, target: string, limit: number): number {
  const parsed = parseTarget(target, VENDOR_NAMES);
  if (!parsed.ok) return limit;
  const { vendor: named, path } = parsed.value;
  const vendor = VENDORS.find(({ name, unprefixed }) => (named === undefined ? unprefixed.test(path) : name === named));
  const operation = vendor && operationOf(vendor, method as "POST", path);
  return Math.max(limit, operation?.bodyBytesMax ?? 0);
}
