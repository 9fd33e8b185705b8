import type { AuditRow } from "../../src/audit/row.ts";
import { startPlane, type TestKey, type TestPlane } from "../harness/plane.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import {
  type DoubleAnswer,
  type RecordedRequest,
  startVendorDouble,
  type VendorDouble,
} from "../harness/vendor-double.ts";

/** 20 dollars. */
export const PAYMENT = "amount=2000&currency=usd&confirm=true&payment_method=pm_card_visa";
export const FULL = 20_000_000n;

export const DAY_MS = 86_400_000;
/** As long as a repeat is told from a new call: ten minutes of the vendor's day are for a look-up that sets out at the end. */
export const LIFE_MS = DAY_MS - 600_000;

export interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A data plane before one double that is every vendor, and what tests of repeats ask of it. */
export interface RepeatBench {
  readonly vendor: VendorDouble;
  readonly plane: TestPlane;
  /** A payment at Stripe, where `sent` says nothing else. */
  send(key: TestKey, idempotencyKey: string | undefined, sent?: Sent): Promise<Response>;
  rows(key: TestKey): Promise<readonly AuditRow[]>;
  /** Of each row its state and flag; the id of a call that a flag names is `first`. */
  states(key: TestKey): Promise<string[]>;
  /** Of the daily cap, once everything is on disk. */
  used(key: TestKey): Promise<bigint>;
  /** The vendor answers nothing until it is called. */
  gate(): () => void;
  reset(): void;
  stop(): Promise<void>;
}

export async function startRepeatBench(): Promise<RepeatBench> {
  const vendor = await startVendorDouble(succeededIntent);
  const { origin } = vendor;
  const origins = { stripe: origin, twilio: origin, resend: origin };
  const plane = await startPlane({ origins, limits: { upstreamTimeoutMs: 600 } });
  const rows = async (key: TestKey) => {
    await plane.plane.ledger.drain();
    return (await plane.store.queryAudit({ keyId: key.id }, { limit: 50 })).rows;
  };
  return {
    vendor,
    plane,
    rows,
    send: (key, idempotencyKey, sent = {}) => {
      const { path = "/stripe/v1/payment_intents", method = "POST", body = PAYMENT, headers = {}, signal } = sent;
      return fetch(`${plane.url}${path}`, {
        method,
        redirect: "manual",
        headers: {
          authorization: `Bearer ${key.token}`,
          "content-type": "application/x-www-form-urlencoded",
          ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
          ...headers,
        },
        ...(method === "GET" || method === "HEAD" ? {} : { body }),
        ...(signal ? { signal } : {}),
      });
    },
    states: async (key) =>
      (await rows(key)).map(({ state, flag }) => (flag ? `${state} ${flag.replace(/call_\w+/, "first")}` : state)),
    used: async (key) => {
      await plane.plane.ledger.drain();
      const { counters } = await plane.store.keySpend(key.id);
      return counters.find(({ name }) => name === "daily_usd_cap")?.used ?? 0n;
    },
    gate: () => {
      let open = () => {};
      const opened = new Promise<void>((done) => {
        open = done;
      });
      vendor.answer = async (request): Promise<DoubleAnswer> => {
        await opened;
        return succeededIntent(request);
      };
      return open;
    },
    reset: () => {
      vendor.answer = succeededIntent;
      vendor.requests.length = 0;
    },
    stop: async () => {
      await plane.stop();
      await vendor.stop();
    },
  };
}

/** A payment that succeeded, with further headers of the vendor's. */
export function succeededWith(request: RecordedRequest, headers: Record<string, string>): DoubleAnswer {
  const answer = succeededIntent(request);
  return typeof answer === "object" && "status" in answer ? { ...answer, headers } : answer;
}

/** The status, Keybrake's code where it refused, and whether the answer was recorded. */
export async function said(response: Response): Promise<string> {
  const code = /"keybrake":\{"code":"([a-z_]+)"/.exec(await response.text())?.[1];
  const replayed = response.headers.has("x-keybrake-replayed") ? " replayed" : "";
  return `${response.status}${code ? ` ${code}` : ""}${replayed}`;
}
