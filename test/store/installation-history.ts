import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../src/config.ts";
import { timeOrderedId } from "../../src/core/id.ts";
import { openInstallation } from "../../src/operate/installation.ts";
import type { Store } from "../../src/store/store.ts";
import { recordHistory } from "../audit/chain-history.ts";
import { Random } from "../audit/random.ts";
import { DAY_MS, dailyCap, holdOf, NOON, resolutionOf } from "../ledger/entries.ts";
import { perMinute, rollingCap } from "./conformance/rolling-windows.ts";
import { hashOf, issue, tokenRecord, vendorRecord } from "./records.ts";

/** When everything below has happened. */
export const LATER = NOON + 2 * DAY_MS + 60_000;

const CLOCK = { now: () => LATER, elapsed: () => 0 };

export interface Lived {
  readonly dataDir: string;
  /** The URL of its SQLite file. */
  readonly url: string;
  /** Opens the store, as a server or a command would; whoever does closes it. */
  open(): Promise<{ readonly store: Store; readonly chainKey: Uint8Array }>;
  remove(): void;
}

/** A data directory whose store has something in every table that a copy must bring along. It is closed again. */
export async function liveInstallation(calls: number): Promise<Lived> {
  const dataDir = mkdtempSync(join(tmpdir(), "keybrake-lived-"));
  const config = readConfig({ data: dataDir, policies: join(dataDir, "policies") }, {});
  const lived: Lived = {
    dataDir,
    url: `sqlite:${join(dataDir, "keybrake.db")}`,
    open: () => openInstallation(config, CLOCK),
    remove: () => rmSync(dataDir, { recursive: true, force: true }),
  };
  const { store } = await lived.open();
  await recordHistory(store, { calls, random: new Random(7), stepMs: Math.floor((2 * DAY_MS) / calls) });
  await prune(store);
  await store.addUpSpend(40);
  await leaveInFlight(store);
  await operate(store);
  await store.close();
  return lived;
}

/** As retention does: the oldest rows, some of which the sums have. */
async function prune(store: Store): Promise<void> {
  await store.addUpSpend(15);
  const oldest = (await store.chainRows(0n, 200)).toSorted((a, b) => a.chainSeq - b.chainSeq);
  const rows = oldest.filter(({ chainSeq }, index) => chainSeq === index + 1).slice(0, 25);
  if (!(await store.pruneAudit(rows, 5_000, LATER))) throw new Error("nothing was pruned");
}

async function leaveInFlight(store: Store): Promise<void> {
  const { id } = await issue(store, { expiresAt: LATER + DAY_MS, label: "ümläut/🙂" });
  const facts = () => ({ id: timeOrderedId("call", LATER), calledAt: LATER, agentRunLabel: "ümläut/🙂" });
  const budgets = [dailyCap(id, 1_000), rollingCap(id, 1_000), perMinute(id, 100)];
  const slots = [{ name: "key:k1", lifeMs: DAY_MS }];
  const answered = holdOf(id, 3, {
    facts: facts(),
    budgets,
    repeat: { slots, requestHash: "h1", vendorKey: "kb_first" },
  });
  const later = holdOf(id, 4, { facts: facts(), budgets });
  const object = { name: "stripe /v1/payment_intents/pi_1", version: undefined };
  const held = [1, 2].map((dollars) =>
    holdOf(id, dollars, { facts: facts(), budgets, ...(dollars === 1 ? { object } : {}) }),
  );
  await store.apply([answered, later, ...held], LATER);
  const sealed = new Uint8Array([0, 1, 2, 254, 255]);
  await store.apply(
    [
      { ...resolutionOf(answered.facts.id, "settled", 2), repeat: { slots, outcome: { status: 201, sealed } } },
      {
        ...resolutionOf(later.facts.id, "settled", 2),
        pricedLater: { path: "/later", askAt: LATER, besidesMicros: 0n },
      },
    ],
    LATER,
  );
}

async function operate(store: Store): Promise<void> {
  const token = tokenRecord({ id: "kt_1" });
  await store.insertToken(token);
  await store.insertSession({ idHash: hashOf("s"), tokenId: "kt_1", createdAt: LATER, expiresAt: LATER + DAY_MS }, 5);
  await store.putVendor(vendorRecord());
  const brake = { id: "brake_1", vendor: "twilio", labelPrefix: null, reason: 'a "reason"\n', engagedAt: LATER };
  await store.engageBrake(brake);
  await store.recordHardStop({ keyIds: ["vk_1"], scope: null }, LATER);
  await store.rememberAnswer("kt_1", "k", { bodyHash: "h", sealedAnswer: new Uint8Array([255, 0, 1]) }, LATER);
  await store.countUnknownKey(LATER, 3);
  const news = { id: "alert_1", type: "alert.test", at: LATER, text: "a test", data: {} } as const;
  await store.queueAlert({ news: [news], targets: ["ops", "chat"], at: LATER });
}
