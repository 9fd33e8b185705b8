import { readConfig } from "../../src/config.ts";
import { openInstallation } from "../../src/operate/installation.ts";
import { recordCall } from "../operate/record-call.ts";
import type { Terminal } from "./terminal.ts";

const HOUR_MS = 3_600_000;

interface Agent {
  readonly keyId: string;
  readonly vendor: string;
  readonly endpoint: string;
  readonly dollars: string;
  readonly everyHours: number;
}

/**
 * Ten quiet days of three agents, then an hour in which one of them runs wild, a refusal, a call of unknown outcome and one
 * in flight. The terminal's clock is at the end of that hour afterwards.
 */
export async function recordSpend(terminal: Terminal): Promise<void> {
  const stripe = { vendor: "stripe", endpoint: "/v1/payment_intents", dollars: "3.00" };
  const agents: Agent[] = [
    { ...stripe, keyId: await issue(terminal, "tenant:acme:billing:run-1"), everyHours: 12 },
    { ...stripe, keyId: await issue(terminal, "tenant:b:billing:run-9"), dollars: "1.50", everyHours: 24 },
    { ...stripe, keyId: await issue(terminal, "nightly/01"), endpoint: "/v1/refunds", dollars: "0.25", everyHours: 48 },
  ];
  const clock = {
    get nowMs() {
      return terminal.nowMs;
    },
    now: () => terminal.nowMs,
    elapsed: () => terminal.nowMs,
  };
  const { store } = await openInstallation(readConfig({ data: terminal.data }, {}), clock);
  const charge = ({ keyId, vendor, endpoint, dollars }: Agent) => ({
    keyId,
    exposureUsd: dollars,
    facts: { vendor, endpoint, path: endpoint },
  });
  for (let hour = 0; hour < 240; hour++) {
    terminal.nowMs += HOUR_MS;
    for (const agent of agents) {
      if (hour % agent.everyHours !== 0) continue;
      await recordCall({ store, clock }, { ...charge(agent), end: { to: "settled", costUsd: agent.dollars } });
    }
  }
  terminal.nowMs += 20 * 60_000;
  const [wild] = agents as [Agent];
  for (let call = 0; call < 8; call++) {
    await recordCall({ store, clock }, { ...charge(wild), end: { to: "settled", costUsd: "4.75" } });
  }
  await recordCall({ store, clock }, { ...charge(wild), refusal: "cap_exceeded" });
  await recordCall({ store, clock }, { ...charge(wild), end: { to: "unresolved" } });
  await recordCall({ store, clock }, charge(agents[1]!));
  terminal.nowMs += 20 * 60_000;
  await store.close();
}

async function issue(terminal: Terminal, label: string): Promise<string> {
  const policy = ["--vendor", "stripe", "--allowed-endpoints", "POST /v1/payment_intents,POST /v1/refunds"];
  const who = ["--label", label, "--agent-name", `${label.split(/[:/]/)[0]}-agent`, "--expires-in", "30d"];
  const words = ["key", "issue", ...policy, ...who];
  return (JSON.parse((await terminal.run([...words, "--json"])).out) as { id: string }).id;
}
