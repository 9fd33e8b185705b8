import { readConfig } from "../../src/config.ts";
import { openInstallation } from "../../src/operate/installation.ts";
import { recordCall } from "../operate/record-call.ts";
import type { Terminal } from "./terminal.ts";

/** Writes a small billing run to the terminal's data directory: two charges, a decline, a read and a refusal. */
export async function recordRun(terminal: Terminal, keyId: string): Promise<void> {
  const clock = {
    get nowMs() {
      return terminal.nowMs;
    },
    now: () => terminal.nowMs,
    elapsed: () => terminal.nowMs,
  };
  const { store } = await openInstallation(readConfig({ data: terminal.data }, {}), clock);
  const charge = (usd: string, customerScopeId: string) => ({ keyId, exposureUsd: usd, facts: { customerScopeId } });
  const calls = [
    { ...charge("29.99", "cus_1"), end: { to: "settled", costUsd: "29.99" } },
    { ...charge("49.99", "cus_2"), end: { to: "released" } },
    { ...charge("19.99", "cus_2"), end: { to: "settled", costUsd: "19.99" } },
    {
      keyId,
      facts: { method: "GET", path: "/v1/customers/cus_1", endpoint: "/v1/customers/*", customerScopeId: "cus_1" },
      end: { to: "settled" },
    },
    { keyId, refusal: "endpoint_denied", facts: { path: "/v1/refunds", endpoint: "/v1/refunds" } },
  ] as const;
  for (const call of calls) {
    terminal.nowMs += 60_000;
    await recordCall({ store, clock }, call);
  }
  await store.close();
}
