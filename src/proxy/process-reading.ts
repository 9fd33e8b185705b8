import type { ProcessReading } from "../telemetry/snapshot.ts";
import type { Connections } from "./connections.ts";
import type { DataPlane } from "./data-plane.ts";

/** The listeners that this process has opened so far. */
export type OpenListeners = Partial<Record<"main" | "admin", Connections>>;

const MICROSECONDS = 1e6;

/** Gives what this process has under way, whenever it is asked. */
export function processReader(
  plane: DataPlane,
  listeners: OpenListeners,
  spans: () => ProcessReading["spans"],
): () => ProcessReading {
  // Found out once: a wall clock that is set later must not look like a restart.
  const startedAtSeconds = Math.round(plane.clock.now() / 1000 - process.uptime());
  return () => {
    const used = process.cpuUsage();
    const open = (["main", "admin"] as const).flatMap((name) => {
      const connections = listeners[name];
      return connections ? [[name, connections.open] as const] : [];
    });
    return {
      connections: open,
      callsUnderWay: plane.inFlight.underWay,
      callsAtVendors: plane.inFlight.count,
      ledgerQueue: plane.ledger.queueLength,
      isDraining: plane.draining,
      cpuSeconds: (used.user + used.system) / MICROSECONDS,
      residentBytes: process.memoryUsage.rss(),
      startedAtSeconds,
      spans: spans(),
    };
  };
}
