import { family } from "../family.ts";
import type { Operation } from "../vendor.ts";
import { refuseOtherUpdate } from "./messages.ts";
import { refuseInbound } from "./numbers.ts";
import { AC, PRICED } from "./priced-operations.ts";
import { refuseLookups } from "./verify.ts";

/** Every representation of a resource, as Twilio answers `X` (XML), `X.json` and `X.csv` alike, and all below it. */
function everyForm(path: string): string[] {
  return [path, `${path}*`, `${path}/**`];
}

const CLOSED: readonly Operation[] = [
  ...family("accounts", "closed", "write", "returns the account's auth token, opens accounts or closes them", [
    "* /2010-04-01/Accounts",
    "* /2010-04-01/Accounts*",
    `* ${AC}`,
  ]),
  ...family("keys", "closed", "write", "returns the secret of an API key or decides which keys are valid", [
    ...["Keys", "SigningKeys", "Tokens"].flatMap((name) => everyForm(`* ${AC}/${name}`)),
    "* /accounts/**",
    "* /iam/**",
    "* /preview-iam/**",
    "* /oauth/**",
    "* /flex-api/**",
    "* /chat/v2/Credentials",
    "* /chat/v2/Credentials/**",
    "* /conversations/v1/Credentials",
    "* /conversations/v1/Credentials/**",
    "* /ip-messaging/v2/Credentials",
    "* /ip-messaging/v2/Credentials/**",
    "* /notify/v1/Credentials",
    "* /notify/v1/Credentials/**",
    "* /serverless/v1/Services/*/Environments/*/Variables",
    "* /serverless/v1/Services/*/Environments/*/Variables/**",
    "* /verify/v2/Services/*/AccessTokens",
    "* /verify/v2/Services/*/AccessTokens/*",
  ]),
  ...family("connect", "closed", "write", "decides which applications of others may act for the account", [
    `POST ${AC}/ConnectApps/*`,
    `DELETE ${AC}/ConnectApps/*`,
  ]),
  ...family("sip", "closed", "write", "sets the passwords with which calls are placed without this proxy", [
    `POST ${AC}/SIP/**`,
    `DELETE ${AC}/SIP/**`,
  ]),
  ...family(
    "dialing",
    "closed",
    "write",
    "decides which countries may be dialled, which is a brake of the account's own",
    ["POST /voice/v1/DialingPermissions/**", "POST /voice/v1/Settings"],
  ),
  ...family("brakes", "closed", "write", "takes off an alarm or a limit that the account has set on its spending", [
    `POST ${AC}/Usage/Triggers/*`,
    `DELETE ${AC}/Usage/Triggers/*`,
    "PUT /lookups/v2/RateLimits/**",
    "DELETE /lookups/v2/RateLimits/**",
  ]),
  ...family("numbers.release", "closed", "write", "gives up a number, which somebody else can then have", [
    `DELETE ${AC}/IncomingPhoneNumbers/*`,
  ]),
];

/** What nobody can say the cost of beforehand. */
const UNKNOWN: readonly Operation[] = [
  ...family(
    "payments",
    "unknown",
    "call",
    "takes a caller's payment through the account's connector, of an amount that is said on the phone",
    [`POST ${AC}/Calls/*/Payments.json`, `POST ${AC}/Calls/*/Payments/*.json`],
  ),
  ...family(
    "caller_ids.validate",
    "unknown",
    "call",
    "calls the number until somebody types a code, for as long as that takes",
    [`POST ${AC}/OutgoingCallerIds.json`],
  ),
  ...family(
    "user_defined_messages",
    "unknown",
    "other",
    "goes on for as long as the call does, at a price that is not published",
    [`POST ${AC}/Calls/*/UserDefinedMessages.json`, `POST ${AC}/Calls/*/UserDefinedMessageSubscriptions.json`],
  ),
  ...family("add_ons.install", "unknown", "other", "makes every use of the number pay an add-on of another company", [
    `POST ${AC}/IncomingPhoneNumbers/*/AssignedAddOns.json`,
  ]),
];

/** Resources of the 2010 API whose reads tell what there is and cost nothing; a new one is unknown until it stands here. */
const READABLE =
  "Addresses Applications AuthorizedConnectApps AvailablePhoneNumbers Balance Calls Conferences ConnectApps IncomingPhoneNumbers " +
  "Messages Notifications OutgoingCallerIds Queues Recordings SIP SMS Transcriptions Usage";

const FREE: readonly Operation[] = [
  // An update can only cancel what has not been sent or redact what has.
  { name: "messages.update", route: `POST ${AC}/Messages/*`, class: "free", kind: "write", refuse: refuseOtherUpdate },
  ...family("messages.records", "free", "write", undefined, [
    `POST ${AC}/Messages/*/Feedback.json`,
    `DELETE ${AC}/Messages/*`,
    `DELETE ${AC}/Messages/*/Media/*`,
  ]),
  ...family("calls.records", "free", "write", undefined, [
    `DELETE ${AC}/Calls/*`,
    `DELETE ${AC}/Calls/*/Recordings/*`,
    `DELETE ${AC}/Calls/*/UserDefinedMessageSubscriptions/*`,
    `DELETE ${AC}/Conferences/*/Participants/*`,
    `DELETE ${AC}/Conferences/*/Recordings/*`,
    `DELETE ${AC}/Recordings/**`,
    `DELETE ${AC}/Transcriptions/*`,
  ]),
  ...family("account.records", "free", "write", undefined, [
    `POST ${AC}/Addresses.json`,
    `POST ${AC}/Addresses/*`,
    `DELETE ${AC}/Addresses/*`,
    `POST ${AC}/Applications.json`,
    `DELETE ${AC}/Applications/*`,
    `DELETE ${AC}/IncomingPhoneNumbers/*/AssignedAddOns/*`,
    `POST ${AC}/OutgoingCallerIds/*`,
    `DELETE ${AC}/OutgoingCallerIds/*`,
    `POST ${AC}/Queues.json`,
    `POST ${AC}/Queues/*`,
    `DELETE ${AC}/Queues/*`,
    `POST ${AC}/Usage/Triggers.json`,
  ]),
  // Who sends, and by which links: no message leaves by it, and a sender's price is within the rate of the destination.
  ...["POST /messaging/v1/Services", "POST /messaging/v1/Services/*"].map(
    (route): Operation => ({ name: "messaging.settings", route, class: "free", kind: "write", refuse: refuseInbound }),
  ),
  ...family("messaging.settings", "free", "write", undefined, [
    "DELETE /messaging/v1/Services/*",
    ...["AlphaSenders", "ChannelSenders", "DestinationAlphaSenders", "PhoneNumbers", "ShortCodes"].flatMap((name) => [
      `POST /messaging/v1/Services/*/${name}`,
      `DELETE /messaging/v1/Services/*/${name}/*`,
    ]),
    "DELETE /messaging/v1/Services/*/Compliance/Usa2p/*",
    "POST /messaging/v1/Tollfree/Verifications",
    "POST /messaging/v1/Tollfree/Verifications/*",
    "DELETE /messaging/v1/Tollfree/Verifications/*",
    "POST /messaging/v1/LinkShortening/**",
    "DELETE /messaging/v1/LinkShortening/**",
  ]),
  ...["POST /verify/v2/Services", "POST /verify/v2/Services/*"].map(
    (route): Operation => ({ name: "verify.services", route, class: "free", kind: "write", refuse: refuseLookups }),
  ),
  ...family("verify.settings", "free", "write", undefined, [
    "DELETE /verify/v2/Services/*",
    "POST /verify/v2/Services/*/Entities",
    "DELETE /verify/v2/Services/*/Entities/*",
    "DELETE /verify/v2/Services/*/Entities/*/Factors/*",
    ...["MessagingConfigurations", "RateLimits", "Webhooks"].flatMap((name) => [
      `POST /verify/v2/Services/*/${name}`,
      `POST /verify/v2/Services/*/${name}/*`,
      `DELETE /verify/v2/Services/*/${name}/*`,
    ]),
    "POST /verify/v2/Services/*/RateLimits/*/Buckets",
    "POST /verify/v2/Services/*/RateLimits/*/Buckets/*",
    "DELETE /verify/v2/Services/*/RateLimits/*/Buckets/*",
    "POST /verify/v2/SafeList/Numbers",
    "DELETE /verify/v2/SafeList/Numbers/*",
  ]),
  ...family("reads", "free", "read", undefined, [
    ...READABLE.split(" ").flatMap((name) => everyForm(`GET ${AC}/${name}`)),
    "GET /messaging/v1/**",
    "GET /verify/v2/**",
    "GET /pricing/**",
    "GET /lookups/v2/RateLimits",
    "GET /lookups/v2/RateLimits/**",
  ]),
];

/** Every operation of Twilio's that is told apart, the deciding one first; any other is unknown. */
export const TWILIO_OPERATIONS: readonly Operation[] = [...CLOSED, ...PRICED, ...UNKNOWN, ...FREE];
