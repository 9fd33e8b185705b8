import { join } from "node:path";
import { ACCOUNT_SID } from "../../harness/vendor-account.ts";
import { type Hop, startHop } from "../sdk-matrix/hop.ts";

/** `stateful` is stripe-stateful-mock, the others are emulate's services. */
export type DoubleName = "stateful" | "stripe" | "twilio" | "resend";

export const TWILIO_TOKEN = "double0real0twilio0auth0token000";
export const OWN_NUMBER = "+14155550199";

export interface Double {
  /** Its own address: where a test looks, unseen by `hop`. */
  readonly origin: string;
  /** What Keybrake takes for the vendor; it writes down what arrives. */
  readonly hop: Hop;
}

export interface Doubles {
  readonly of: Readonly<Record<DoubleName, Double>>;
  stop(): Promise<void>;
}

const SEED = {
  twilio: {
    account: { sid: ACCOUNT_SID, auth_token: TWILIO_TOKEN },
    phone_numbers: [{ phone_number: OWN_NUMBER }],
  },
};

/** Vendors that nobody here wrote, in a process of their own. @throws Error where it ends before it has told its addresses. */
export async function startDoubles(): Promise<Doubles> {
  const child = Bun.spawn(["node", join(import.meta.dir, "run.mjs"), JSON.stringify(SEED)], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const reader = child.stdout.getReader();
  let line = "";
  while (!line.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the doubles did not start: ${await new Response(child.stderr).text()}`);
    line += Buffer.from(value).toString("utf8");
  }
  const origins: Record<DoubleName, string> = JSON.parse(line);
  const entries = Object.entries(origins).map(([name, origin]) => [name, { origin, hop: startHop(origin) }]);
  const of: Record<DoubleName, Double> = Object.fromEntries(entries);
  return {
    of,
    stop: async () => {
      child.kill("SIGKILL");
      await Promise.all([child.exited, ...Object.values(of).map(({ hop }) => hop.stop())]);
    },
  };
}
