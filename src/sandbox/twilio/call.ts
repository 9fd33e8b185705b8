import type { JsonValue } from "../../core/call.ts";
import type { Clock } from "../../core/clock.ts";
import type { EpochMs } from "../../core/window.ts";
import type { SandboxAnswer } from "../exchange.ts";
import type { ObjectStore } from "../object-store.ts";
import { refuse } from "./error.ts";

export interface TwilioAccount {
  readonly accountSid: string;
  readonly authToken: string;
}

/** What was asked for; status and price follow from the clock whenever it is read. */
export interface Message {
  readonly id: string;
  readonly createdMs: EpochMs;
  readonly to: string;
  readonly from: string | null;
  readonly messagingServiceSid: string | null;
  readonly body: string;
  readonly segments: number;
  readonly media: number;
  readonly canceled: boolean;
}

export interface PhoneCall {
  readonly id: string;
  readonly createdMs: EpochMs;
  readonly to: string;
  readonly from: string;
  /** Set where the caller ended it before its time. */
  readonly ended: "canceled" | "completed" | null;
}

/** One request, with everything that the account has. */
export interface TwilioCall {
  readonly account: TwilioAccount;
  readonly clock: Clock;
  readonly messages: ObjectStore<Message>;
  readonly calls: ObjectStore<PhoneCall>;
  /** The body of a POST, the query of anything else. */
  readonly form: URLSearchParams;
}

/** After this much of the clock a message is sent, a call is in progress. */
export const UNDER_WAY_MS = 1_000;
/** After this much of the clock a message is delivered, a call is over, and both have their price. */
export const PRICED_MS = 2_000;

/** `Thu, 24 Aug 2023 05:01:45 +0000` (RFC 2822), Twilio's spelling of a time. */
export function twilioDate(ms: EpochMs): string {
  return new Date(ms).toUTCString().replace("GMT", "+0000");
}

/** A price as Twilio writes it, negative with five decimals: 830 hundred-thousandths of a dollar is `-0.00830`. */
export function twilioPrice(hundredThousandths: number): string {
  const fraction = String(hundredThousandths % 100_000).padStart(5, "0");
  return `-${Math.floor(hundredThousandths / 100_000)}.${fraction}`;
}

const PAGE_SIZE_MAX = 1_000;

/** One page of a list under `name`, newest first; `next_page_uri` holds a token, so that new objects do not shift it. */
export function twilioList<T extends { readonly id: string }>(
  call: TwilioCall,
  name: "messages" | "calls",
  all: readonly T[],
  render: (item: T) => JsonValue,
): SandboxAnswer {
  const { form, account } = call;
  const size = Number(form.get("PageSize") ?? 50);
  if (!Number.isInteger(size) || size < 1 || size > PAGE_SIZE_MAX) {
    refuse(20001, `PageSize must be 1 to ${PAGE_SIZE_MAX}, not ${form.get("PageSize")}`);
  }
  const page = Number(form.get("Page") ?? 0) || 0;
  const token = form.get("PageToken")?.replace(/^PA/, "");
  const position = token === undefined ? 0 : all.findIndex((item) => item.id === token) + 1;
  const start = token !== undefined && position === 0 ? all.length : position;
  const items = all.slice(start, start + size);
  const resource = name === "messages" ? "Messages" : "Calls";
  const uri = (number: number, after: string) => {
    const query = new URLSearchParams(form);
    query.delete("PageToken");
    query.set("PageSize", String(size));
    query.set("Page", String(number));
    if (after !== "") query.set("PageToken", `PA${after}`);
    return `/2010-04-01/Accounts/${account.accountSid}/${resource}.json?${query}`;
  };
  const last = items.at(-1);
  const json = {
    [name]: items.map(render),
    end: items.length === 0 ? 0 : page * size + items.length - 1,
    first_page_uri: uri(0, ""),
    next_page_uri: last !== undefined && start + size < all.length ? uri(page + 1, last.id) : null,
    page,
    page_size: size,
    previous_page_uri: null,
    start: page * size,
    uri: uri(page, token ?? ""),
  };
  return { status: 200, json };
}
