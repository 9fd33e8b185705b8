import { Resend } from "resend";
import Stripe from "stripe";
import twilio from "twilio";
import type { Clock } from "../../src/core/clock.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";

/** A clock that stands still until a test moves it. */
export class StillClock implements Clock {
  #nowMs = Date.UTC(2026, 10, 21, 12, 0, 0);

  now(): number {
    return this.#nowMs;
  }

  elapsed(): number {
    return this.#nowMs;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }
}

export interface Trial {
  readonly clock: StillClock;
  readonly sandbox: Sandbox;
}

export async function startTrial(slowMs = 20): Promise<Trial> {
  const clock = new StillClock();
  return { clock, sandbox: await startSandbox({ clock, slowMs }) };
}

/** The official SDK, pointed at the sandbox. */
export function stripeOf({ sandbox }: Trial, options: Stripe.StripeConfig = {}, key?: string): Stripe {
  const port = Number(new URL(sandbox.origins.stripe).port);
  const config: Stripe.StripeConfig = { host: "127.0.0.1", port, protocol: "http", maxNetworkRetries: 0, ...options };
  return new Stripe(key ?? sandbox.credentials.stripe.reveal(), config);
}

export function twilioOf({ sandbox }: Trial, authToken?: string): twilio.Twilio {
  const { accountSid, authToken: real } = sandbox.credentials.twilio;
  const client = twilio(accountSid, authToken ?? real.reveal());
  client.api.baseUrl = sandbox.origins.twilio;
  return client;
}

export function resendOf({ sandbox }: Trial, key?: string): Resend {
  return new Resend(key ?? sandbox.credentials.resend.reveal(), { baseUrl: sandbox.origins.resend });
}

/** What `promise` is rejected with; a promise that resolves is an error of the test. */
export async function rejectionOf<T extends Error>(promise: Promise<unknown>): Promise<T> {
  try {
    await promise;
  } catch (error) {
    return error as T;
  }
  throw new Error("was expected to be refused, but was answered");
}
