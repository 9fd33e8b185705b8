import type { Clock } from "../core/clock.ts";
import { Secret } from "../core/secret.ts";
import { randomAlphanumeric, randomHex } from "./credential.ts";
import { listen } from "./listener.ts";
import { resendSandbox } from "./resend.ts";
import { stripeSandbox } from "./stripe.ts";
import { twilioSandbox } from "./twilio.ts";

/** How late `slow` answers come. */
const SLOW_MS = 3_000;

export interface SandboxOptions {
  /** What the objects' times and the prices that come later go by. */
  readonly clock: Clock;
  /** How late answers come where the caller asks for `slow`, in milliseconds; 3 s where absent. */
  readonly slowMs?: number;
}

/** The only credentials that the sandbox takes; anything else, a vault key above all, is answered 401. */
export interface SandboxCredentials {
  readonly stripe: Secret;
  readonly twilio: { readonly accountSid: string; readonly authToken: Secret };
  readonly resend: Secret;
}

export interface Sandbox {
  /** Without a path or a trailing slash: `http://127.0.0.1:PORT`. */
  readonly origins: { readonly stripe: string; readonly twilio: string; readonly resend: string };
  readonly credentials: SandboxCredentials;
  /** Requests that have reached any of the three, refused ones too. */
  calls(): number;
  /** Ends every connection and forgets every object. A second call does nothing. */
  stop(): Promise<void>;
}

/** The same at every start, so that a key issued beside a running sandbox names the right account. It is no secret. */
const SANDBOX_ACCOUNT_SID = "AC5a4db0c55a4db0c55a4db0c55a4db0c5";

/** Account ids that the sandbox's vendors want in a path, by vendor. */
export const SANDBOX_ACCOUNT_IDS: ReadonlyMap<string, string> = new Map([["twilio", SANDBOX_ACCOUNT_SID]]);

/**
 * Starts upstreams that answer like Stripe, Twilio and Resend, each on a free loopback port, so that Keybrake can be tried
 * out offline on the same path that a real vendor's calls take. Credentials are made at random at every start.
 * What can be made to fail, and how, is in failure.ts; what each vendor knows, in its file.
 */
export async function startSandbox({ clock, slowMs = SLOW_MS }: SandboxOptions): Promise<Sandbox> {
  const stripeKey = `sk_test_sandbox${randomAlphanumeric(32)}`;
  const twilioAccount = { accountSid: SANDBOX_ACCOUNT_SID, authToken: randomHex(32) };
  const resendKey = `re_sandbox_${randomAlphanumeric(24)}`;
  const [stripe, twilio, resend] = await Promise.all([
    listen(stripeSandbox(clock, stripeKey), slowMs),
    listen(twilioSandbox(clock, twilioAccount), slowMs),
    listen(resendSandbox(clock, resendKey), slowMs),
  ]);
  const listeners = [stripe, twilio, resend];
  return {
    origins: { stripe: stripe.origin, twilio: twilio.origin, resend: resend.origin },
    credentials: {
      stripe: new Secret(stripeKey),
      twilio: { accountSid: twilioAccount.accountSid, authToken: new Secret(twilioAccount.authToken) },
      resend: new Secret(resendKey),
    },
    calls: () => listeners.reduce((sum, listener) => sum + listener.calls(), 0),
    stop: async () => {
      await Promise.all(listeners.map((listener) => listener.stop()));
    },
  };
}
