import type { JsonValue } from "../../core/call.ts";
import { randomHex } from "../credential.ts";
import { Refusal, type SandboxAnswer } from "../exchange.ts";
import type { Routes } from "../route.ts";
import { type Message, PRICED_MS, type TwilioCall, twilioDate, twilioList, twilioPrice, UNDER_WAY_MS } from "./call.ts";
import { checkSender, type MagicNumbers, refuse, twilioError } from "./error.ts";
import { segmentsOf } from "./segments.ts";

/** Hundred-thousandths of a dollar: $0.0083 a segment, $0.022 an MMS, Twilio's US prices of October 2026. */
const SEGMENT_PRICE = 830;
const MMS_PRICE = 2_200;
const BODY_CHARACTERS_MAX = 1_600;

/** Twilio's magic numbers (twilio.com/docs/iam/test-credentials), by the parameter that they stand in. */
const MAGIC_TO: MagicNumbers = new Map([
  ["+15005550001", [21211, "Invalid 'To' Phone Number: +15005550001"]],
  ["+15005550002", [21612, "The 'To' phone number +15005550002 is not currently reachable via SMS"]],
  ["+15005550003", [21408, "Permission to send an SMS has not been enabled for the region of +15005550003"]],
  ["+15005550004", [21610, "Attempt to send to unsubscribed recipient +15005550004"]],
  ["+15005550009", [21614, "'To' number is not a valid mobile number: +15005550009"]],
]);
const MAGIC_FROM: MagicNumbers = new Map([
  ["+15005550001", [21212, "Invalid 'From' Number: +15005550001"]],
  ["+15005550007", [21606, "The 'From' phone number +15005550007 is not a valid, SMS-capable Twilio phone number"]],
  ["+15005550008", [21611, "This 'From' number +15005550008 has exceeded its maximum of queued messages"]],
]);

const ROOT = "/2010-04-01/Accounts/*";

export const messageRoutes: Routes<TwilioCall> = {
  [`POST ${ROOT}/Messages.json`]: create,
  [`GET ${ROOT}/Messages.json`]: list,
  [`GET ${ROOT}/Messages/*`]: (call, _account, file) => ({ status: 200, json: render(call, find(call, file)) }),
  [`POST ${ROOT}/Messages/*`]: update,
  [`DELETE ${ROOT}/Messages/*`]: remove,
};

function create(call: TwilioCall): SandboxAnswer {
  const { form } = call;
  const to = form.get("To") || refuse(21604, "A 'To' phone number is required.");
  const service = form.get("MessagingServiceSid");
  const from = form.get("From") || (service ? null : refuse(21603, "A 'From' phone number is required."));
  const body = form.get("Body") ?? "";
  const media = form.getAll("MediaUrl").length;
  if (body === "" && media === 0 && !form.get("ContentSid")) refuse(21602, "Message body is required.");
  if (body.length > BODY_CHARACTERS_MAX) {
    refuse(21617, `The message body has ${body.length} characters and exceeds the limit of ${BODY_CHARACTERS_MAX}.`);
  }
  const magic = MAGIC_TO.get(to) ?? (from === null ? undefined : MAGIC_FROM.get(from));
  if (magic !== undefined) refuse(...magic);
  if (from !== null) checkSender(from);
  if (!/^(whatsapp:|messenger:)?\+?[0-9A-Za-z .()-]{3,40}$/.test(to)) refuse(21211, `Invalid 'To' Phone Number: ${to}`);
  const message = call.messages.put({
    id: `${media > 0 ? "MM" : "SM"}${randomHex(32)}`,
    createdMs: call.clock.now(),
    to,
    from,
    messagingServiceSid: service,
    body,
    segments: segmentsOf(body),
    media,
    canceled: false,
  });
  return { status: 201, json: render(call, message) };
}

function list(call: TwilioCall): SandboxAnswer {
  const to = call.form.get("To");
  const from = call.form.get("From");
  const matching = call.messages
    .newestFirst()
    .filter((message) => (!to || message.to === to) && (!from || message.from === from));
  return twilioList(call, "messages", matching, (message) => render(call, message));
}

/** The two updates that Twilio knows: an empty Body redacts, `Status=canceled` cancels what was not sent yet. */
function update(call: TwilioCall, _account: string, file: string): SandboxAnswer {
  const message = find(call, file);
  const canceled = call.form.get("Status") === "canceled";
  if (canceled && statusOf(call, message) !== "queued" && statusOf(call, message) !== "accepted") {
    refuse(30409, `Message ${message.id} cannot be canceled: its status is ${statusOf(call, message)}`);
  }
  if (call.form.get("Body")) refuse(20001, "Body can only be set to an empty string, which redacts the message");
  const body = call.form.has("Body") ? "" : message.body;
  const updated = call.messages.put({ ...message, body, canceled: message.canceled || canceled });
  return { status: 200, json: render(call, updated) };
}

function remove(call: TwilioCall, _account: string, file: string): SandboxAnswer {
  call.messages.delete(find(call, file).id);
  return { status: 204 };
}

function find(call: TwilioCall, file = ""): Message {
  const message = file.endsWith(".json") ? call.messages.get(file.slice(0, -".json".length)) : undefined;
  if (message) return message;
  const path = `/2010-04-01/Accounts/${call.account.accountSid}/Messages/${file}`;
  throw new Refusal(twilioError(404, 20404, `The requested resource ${path} was not found`));
}

function statusOf({ clock }: TwilioCall, message: Message): string {
  if (message.canceled) return "canceled";
  const age = clock.now() - message.createdMs;
  if (age >= PRICED_MS) return "delivered";
  if (age >= UNDER_WAY_MS) return "sent";
  return message.messagingServiceSid === null ? "queued" : "accepted";
}

function render(call: TwilioCall, message: Message): JsonValue {
  const { accountSid } = call.account;
  const status = statusOf(call, message);
  const uri = `/2010-04-01/Accounts/${accountSid}/Messages/${message.id}`;
  const sent = status === "sent" || status === "delivered";
  const price = message.media > 0 ? MMS_PRICE : SEGMENT_PRICE * message.segments;
  return {
    account_sid: accountSid,
    api_version: "2010-04-01",
    body: message.body,
    date_created: twilioDate(message.createdMs),
    date_sent: sent ? twilioDate(message.createdMs + UNDER_WAY_MS) : null,
    date_updated: twilioDate(call.clock.now()),
    direction: "outbound-api",
    error_code: null,
    error_message: null,
    from: message.from,
    messaging_service_sid: message.messagingServiceSid,
    num_media: String(message.media),
    // A messaging service counts only when it has chosen the sender (twilio_api_v2010.json).
    num_segments: status === "accepted" ? "0" : String(message.segments),
    price: status === "delivered" ? twilioPrice(price) : null,
    price_unit: "USD",
    sid: message.id,
    status,
    subresource_uris: { media: `${uri}/Media.json` },
    to: message.to,
    uri: `${uri}.json`,
  };
}
