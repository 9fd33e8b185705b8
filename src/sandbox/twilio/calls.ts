import type { JsonValue } from "../../core/call.ts";
import { randomHex } from "../credential.ts";
import { Refusal, type SandboxAnswer } from "../exchange.ts";
import type { Routes } from "../route.ts";
import {
  type PhoneCall,
  PRICED_MS,
  type TwilioCall,
  twilioDate,
  twilioList,
  twilioPrice,
  UNDER_WAY_MS,
} from "./call.ts";
import { checkSender, type MagicNumbers, refuse, twilioError } from "./error.ts";

/** Hundred-thousandths of a dollar for a started minute to the US. Every sandbox call that is not canceled lasts one. */
const MINUTE_PRICE = 1_400;

/** Twilio's magic numbers for calls (twilio.com/docs/iam/test-credentials). */
const MAGIC_TO: MagicNumbers = new Map([
  ["+15005550001", [21217, "Phone number +15005550001 does not appear to be valid"]],
  ["+15005550002", [21214, "'To' phone number +15005550002 cannot be reached"]],
  ["+15005550003", [21215, "Account not authorized to call +15005550003"]],
  ["+15005550004", [21216, "Account not allowed to call +15005550004"]],
]);

const ROOT = "/2010-04-01/Accounts/*";

export const callRoutes: Routes<TwilioCall> = {
  [`POST ${ROOT}/Calls.json`]: create,
  [`GET ${ROOT}/Calls.json`]: (call) =>
    twilioList(call, "calls", call.calls.newestFirst(), (phoneCall) => render(call, phoneCall)),
  [`GET ${ROOT}/Calls/*`]: (call, _account, file) => ({ status: 200, json: render(call, find(call, file)) }),
  [`POST ${ROOT}/Calls/*`]: update,
};

function create(call: TwilioCall): SandboxAnswer {
  const { form } = call;
  const to = form.get("To") || refuse(21201, "No 'To' number is specified");
  const from = form.get("From") || refuse(21213, "'From' phone number is required");
  if (!form.get("Url") && !form.get("Twiml") && !form.get("ApplicationSid")) {
    refuse(21205, "One of Url, Twiml and ApplicationSid is required");
  }
  const magic = MAGIC_TO.get(to);
  if (magic !== undefined) refuse(...magic);
  checkSender(from);
  const phoneCall = call.calls.put({
    id: `CA${randomHex(32)}`,
    createdMs: call.clock.now(),
    to,
    from,
    ended: null,
  });
  return { status: 201, json: render(call, phoneCall) };
}

/** `Status=canceled` ends a call that is queued, `Status=completed` one that is under way. */
function update(call: TwilioCall, _account: string, file: string): SandboxAnswer {
  const phoneCall = find(call, file);
  const wanted = call.form.get("Status");
  const status = statusOf(call, phoneCall);
  if (status === "completed" || status === "canceled" || (wanted === "canceled" && status !== "queued")) {
    refuse(21220, `Call ${phoneCall.id} is ${status}: it cannot be ${wanted ?? "changed"} now`);
  }
  if (wanted !== null && wanted !== "canceled" && wanted !== "completed") {
    refuse(21218, `Status must be canceled or completed, not ${wanted}`);
  }
  return { status: 200, json: render(call, call.calls.put({ ...phoneCall, ended: wanted })) };
}

function find(call: TwilioCall, file = ""): PhoneCall {
  const phoneCall = file.endsWith(".json") ? call.calls.get(file.slice(0, -".json".length)) : undefined;
  if (phoneCall) return phoneCall;
  const path = `/2010-04-01/Accounts/${call.account.accountSid}/Calls/${file}`;
  throw new Refusal(twilioError(404, 20404, `The requested resource ${path} was not found`));
}

function statusOf({ clock }: TwilioCall, phoneCall: PhoneCall): string {
  if (phoneCall.ended !== null) return phoneCall.ended;
  const age = clock.now() - phoneCall.createdMs;
  if (age >= PRICED_MS) return "completed";
  return age >= UNDER_WAY_MS ? "in-progress" : "queued";
}

/** The price is there two seconds after the call began, also where the caller ended it sooner; a canceled call has none. */
function render(call: TwilioCall, phoneCall: PhoneCall): JsonValue {
  const { accountSid } = call.account;
  const status = statusOf(call, phoneCall);
  const over = status === "completed";
  const priced = over && call.clock.now() - phoneCall.createdMs >= PRICED_MS;
  return {
    account_sid: accountSid,
    api_version: "2010-04-01",
    answered_by: null,
    date_created: twilioDate(phoneCall.createdMs),
    date_updated: twilioDate(call.clock.now()),
    direction: "outbound-api",
    duration: over ? "60" : null,
    end_time: over ? twilioDate(phoneCall.createdMs + PRICED_MS) : null,
    from: phoneCall.from,
    parent_call_sid: null,
    price: priced ? twilioPrice(MINUTE_PRICE) : null,
    price_unit: "USD",
    sid: phoneCall.id,
    start_time: status === "queued" || status === "canceled" ? null : twilioDate(phoneCall.createdMs + UNDER_WAY_MS),
    status,
    to: phoneCall.to,
    uri: `/2010-04-01/Accounts/${accountSid}/Calls/${phoneCall.id}.json`,
  };
}
