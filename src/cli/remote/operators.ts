import type { FindingView } from "../../operate/about.ts";
import type { AlertDeliveryView, AlertTestView } from "../../operate/alert-verbs.ts";
import type { BrakeView } from "../../operate/brake-verbs.ts";
import type { ControlPlane, TokenView } from "../../operate/control-plane.ts";
import { LONG_MS } from "./audit-filter.ts";
import { type RemoteClient, segment } from "./request.ts";

type OperatorVerbs = Pick<
  ControlPlane,
  | "engageBrake"
  | "releaseBrake"
  | "listBrakes"
  | "issueToken"
  | "listTokens"
  | "revokeToken"
  | "listAlerts"
  | "testAlerts"
  | "about"
  | "doctor"
>;

/** Brakes, tokens, alerts, and the installation itself. */
export function remoteOperators(client: RemoteClient): OperatorVerbs {
  return {
    engageBrake: (request) => client.ask("POST", "/brake", { body: request, isRepeatable: true }),
    releaseBrake: async (request) =>
      (await client.ask<{ released: readonly BrakeView[] }>("DELETE", "/brake", { query: request })).released,
    listBrakes: async () => (await client.ask<{ brakes: readonly BrakeView[] }>("GET", "/brake")).brakes,
    issueToken: (request) => client.ask("POST", "/tokens", { body: request }),
    listTokens: async () => (await client.ask<{ tokens: readonly TokenView[] }>("GET", "/tokens")).tokens,
    revokeToken: (id) => client.ask("DELETE", `/tokens/${segment(id)}`, { isRepeatable: true }),
    listAlerts: async (limit) =>
      (await client.ask<{ alerts: readonly AlertDeliveryView[] }>("GET", "/alerts", { query: { limit } })).alerts,
    testAlerts: async (target) => {
      const body = target === undefined ? {} : { target };
      return (await client.ask<{ results: readonly AlertTestView[] }>("POST", "/alerts/test", { body })).results;
    },
    about: () => client.ask("GET", "/about"),
    doctor: async () =>
      (await client.ask<{ findings: readonly FindingView[] }>("GET", "/doctor", { timeoutMs: LONG_MS })).findings,
  };
}
