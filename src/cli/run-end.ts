import { Problem } from "../core/problem.ts";
import { type ControlPlane, type IssuedKeyView, LOCAL_ADMIN, type SpendView } from "../operate/control-plane.ts";
import type { Cli } from "./cli.ts";
import { spentText } from "./key-text.ts";
import type { SignalRelay } from "./run-child.ts";
import { counted } from "./wording.ts";

/** Between tries to revoke the key where the server cannot be reached. */
const PAUSES_MS = [500, 1_000, 2_000, 4_000];
/** No further try after this: the command has ended, and whoever started it waits. */
const PATIENCE_MS = 20_000;

/** How a run is told of: in sentences, as one JSON object, or only where something is wrong. */
export type Telling = "sentences" | "json" | "nothing";

export interface RunEnd {
  readonly issued: IssuedKeyView;
  readonly exitCode: number;
  readonly telling: Telling;
}

/**
 * Revokes the key, again and again where the server is not there, and tells what the run has spent. Nothing that goes wrong
 * here changes the command's exit code.
 * @returns whether the key is revoked.
 */
export async function endRun(control: ControlPlane, end: RunEnd, relay: SignalRelay, cli: Cli): Promise<boolean> {
  const failure = await revoked(control, end.issued.id, relay, cli);
  if (failure !== undefined) {
    const { id, expires_at } = end.issued;
    cli.voice.error(
      `key ${id} is not revoked yet: ${failure.message}`,
      `it goes on being tried in the background until the key expires at ${expires_at}; by hand: keybrake key revoke ${id}`,
    );
  }
  const spend = failure === undefined ? await spendOf(control, end.issued.id, cli) : undefined;
  if (end.telling === "json") cli.voice.noteRaw(`${JSON.stringify(summary(end, failure === undefined, spend))}\n`);
  if (end.telling === "sentences" && failure === undefined) cli.voice.note(sentence(end.issued.id, spend));
  return failure === undefined;
}

/** Undefined once the key is revoked, else why it is not. A signal or the end of patience ends the tries. */
async function revoked(
  control: ControlPlane,
  id: string,
  relay: SignalRelay,
  { pause, clock }: Cli,
): Promise<Problem | undefined> {
  const began = clock.elapsed();
  let failure = new Problem("unavailable", "there is no answer yet");
  let isOver = false;
  const attempts = async (): Promise<Problem | undefined> => {
    for (const pauseMs of [...PAUSES_MS, 0]) {
      try {
        await control.revokeKeys({ ids: [id], reason: "its command has ended" }, LOCAL_ADMIN);
        return undefined;
      } catch (cause) {
        if (!(cause instanceof Problem)) throw cause;
        failure = cause;
        if (isOver || cause.code !== "unavailable" || clock.elapsed() - began > PATIENCE_MS) return cause;
        await pause(pauseMs);
      }
    }
    return failure;
  };
  const signalled = relay.next().then(() => {
    isOver = true;
    return failure;
  });
  return Promise.race([attempts(), signalled]);
}

/** Undefined where it cannot be told any more: the key is revoked, and that is what counts. */
async function spendOf(control: ControlPlane, id: string, { voice }: Cli): Promise<SpendView | undefined> {
  try {
    return (await control.showKey(id, LOCAL_ADMIN)).spend;
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause;
    voice.warn(`what the run has spent cannot be told: ${cause.message}`);
    return undefined;
  }
}

function sentence(id: string, spend: SpendView | undefined): string {
  const done = `the run has ended and key ${id} is revoked`;
  if (spend === undefined) return done;
  const refused = spend.refused === 0 ? "" : ` (${spend.refused} refused)`;
  return `${done}: ${counted(spend.calls, "call")}${refused}, ${spentText(spend)}`;
}

function summary({ issued, exitCode }: RunEnd, isRevoked: boolean, spend: SpendView | undefined) {
  return {
    key_id: issued.id,
    agent_run_label: issued.agent_run_label,
    exit_code: exitCode,
    revoked: isRevoked,
    calls: spend?.calls ?? null,
    refused: spend?.refused ?? null,
    settled_usd: spend?.settled_usd ?? null,
    held_usd: spend?.held_usd ?? null,
    unresolved_usd: spend?.unresolved_usd ?? null,
  };
}
