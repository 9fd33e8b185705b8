import { ACCOUNT_SID } from "../../harness/vendor-account.ts";
import type { VendorName } from "./vendors.ts";

/** One official SDK with one set of options, in the hands of an agent. */
export interface Agent {
  /** Package, as package.json or requirements.txt names it; `stripe-v22` is an alias of an older stripe. */
  readonly sdk: string;
  /** Which of its clients, where it has several. */
  readonly surface?: string;
  readonly vendor: VendorName;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface SdkRun {
  readonly name: string;
  readonly url: string;
  readonly key: string;
  readonly calls: number;
}

/** What the SDK gave its user; all but `ok` only where the call failed. */
export interface SdkOutcome {
  readonly ok: boolean;
  /** Class of what was thrown, or name or code of what was returned. */
  readonly error?: string;
  readonly status?: number;
  /** All that the user can read of the error. */
  readonly said?: string;
}

export type SdkOutcomes = Readonly<Record<string, readonly SdkOutcome[]>>;

/**
 * Runs the SDK in a process of its own.
 * @param command starts the script that reads the plan: `node run.mjs`.
 * @returns the outcome of each call, by the run's name.
 */
export async function runAgent(
  command: readonly string[],
  { sdk, surface, options }: Agent,
  runs: readonly SdkRun[],
): Promise<SdkOutcomes> {
  const plan = JSON.stringify({ sdk, surface, options, accountSid: ACCOUNT_SID, runs });
  const child = Bun.spawn([...command, plan], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`${command.join(" ")} for ${sdk} exited ${code}: ${stderr}`);
  return JSON.parse(stdout);
}
