import { isControlPath } from "./api/api.ts";
import { targetRejection } from "./api/target.ts";
import { unreadAnswer } from "./api/unread.ts";
import { type Config, type Listen, listenUrl } from "./config.ts";
import type { Clock } from "./core/clock.ts";
import type { Log } from "./log.ts";
import type { TlsPair } from "./operate/tls-pair.ts";
import { fromResponse, toRequest } from "./proxy/bridge.ts";
import { Connections } from "./proxy/connections.ts";
import type { DataPlane } from "./proxy/data-plane.ts";
import { createListener, listenOn } from "./proxy/listener.ts";
import { parseTarget } from "./proxy/parse/target.ts";
import { handleCall } from "./proxy/pipeline.ts";
import { operationOf } from "./vendors/operations.ts";
import type { Vendor } from "./vendors/vendor.ts";

export interface Listening {
  readonly url: string;
  readonly connections: Connections;
  /** Speaks with this certificate from now on. Calls that are under way end as they began. */
  renew(tls: TlsPair): Promise<void>;
  close(): Promise<void>;
}

/** What an address serves: calls, the control plane, or both. */
export type Serving =
  | { readonly plane: DataPlane; readonly control: Control | undefined }
  | { readonly plane: undefined; readonly control: Control };

/** Answers a request of the control plane, which comes from this address. */
export type Control = (request: Request, socketAddress: string | undefined) => Promise<Response>;

/** Operators are few; their listener has its files from those that are set aside (proxy/open-files.ts). */
const ADMIN_CONNECTIONS_MAX = 64;

/** How long the last answers may take when everything else has ended. */
const CLOSE_MS = 300;

type Server = ReturnType<typeof createListener>;

export interface ListenOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  /** Connections of agents at once. */
  readonly connectionsMax: number;
}

/**
 * Listens on one address. What is no control path is a call; without a data plane everything is the control plane's.
 * @param tls where it is given nothing but TLS is spoken.
 */
export async function listen(options: ListenOptions, at: Listen, serving: Serving, tls?: TlsPair): Promise<Listening> {
  const servers = new Set<Server>();
  const connections = new Connections(serving.plane ? options.connectionsMax : ADMIN_CONNECTIONS_MAX);
  const open = async (port: number, pair: TlsPair | undefined): Promise<number> => {
    const server = serverOf(options, serving, connections, pair);
    server.once("close", () => servers.delete(server));
    servers.add(server);
    return listenOn(server, at.host, port);
  };
  const port = await open(at.port, tls);
  return {
    url: listenUrl({ host: at.host, port }, tls ? "https" : "http"),
    connections,
    renew: async (pair) => {
      // A listener keeps the certificate that it was made with. The one from before takes no more connections and ends
      // with its last answer; what connects in the moment between is refused, and nothing of it was read.
      for (const server of servers) server.close();
      await open(port, pair);
    },
    close: async () => {
      const closed = [...servers].map((server) => new Promise<void>((done) => server.close(() => done())));
      for (const server of servers) server.closeIdleConnections();
      // What is being sent gets a moment to be sent to its end.
      const all = setTimeout(() => {
        for (const server of servers) server.closeAllConnections();
      }, CLOSE_MS);
      await Promise.all(closed);
      clearTimeout(all);
    },
  };
}

function serverOf(
  { config, clock, log }: ListenOptions,
  { plane, control }: Serving,
  connections: Connections,
  tls: TlsPair | undefined,
): Server {
  const { vendors } = config;
  const names: ReadonlySet<string> = new Set(vendors.map(({ name }) => name));
  return createListener({
    clock,
    log,
    tls,
    connections,
    bodyTimeoutMs: config.limits.bodyTimeoutMs,
    usualBodyBytesMax: config.limits.bodyBytesMax,
    bodyBytesMax: (method, target) => Math.max(config.limits.bodyBytesMax, ownBytesMax(method, target, vendors, names)),
    onCall: async (call) => {
      if (control && (!plane || isControlPath(call.target.split("?", 1)[0]!))) {
        const request = toRequest(call);
        const unread = targetRejection(call.target) ?? call.bodyRejection;
        const outgoing = await fromResponse(
          unread ? unreadAnswer(unread, request) : await control(request, call.peer()),
        );
        const { id, method, target } = call;
        log.debug?.("control", { call: id, method, area: areaOf(target), status: outgoing.status });
        return outgoing;
      }
      return handleCall(plane!, call, names);
    },
  });
}

/** What of the control plane was asked for: never more of a path than a word of ours, since people put anything into one. */
function areaOf(target: string): string {
  const path = target.split("?", 1)[0]!;
  return isControlPath(path) ? path.split("/", 2)[1]! : "other";
}

/** Some operations take larger bodies than the server's limit (file uploads); 0 for the others. */
function ownBytesMax(method: string, target: string, vendors: readonly Vendor[], names: ReadonlySet<string>): number {
  const parsed = parseTarget(target, names);
  if (!parsed.ok) return 0;
  const { vendor: named, path } = parsed.value;
  const vendor = vendors.find(({ name, unprefixed }) => (named === undefined ? unprefixed.test(path) : name === named));
  const operation = vendor && operationOf(vendor, method as "POST", path);
  return operation?.bodyBytesMax ?? 0;
}
