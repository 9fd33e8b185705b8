import type { Clock } from "../core/clock.ts";
import { basicCredential, sameCredential } from "./credential.ts";
import { answerOf, Refusal, type SandboxAnswer, type SandboxRequest, type SandboxVendor } from "./exchange.ts";
import { failureIn, perform } from "./failure.ts";
import { ObjectStore } from "./object-store.ts";
import { findOperation, type Routes } from "./route.ts";
import type { TwilioAccount, TwilioCall } from "./twilio/call.ts";
import { callRoutes } from "./twilio/calls.ts";
import { twilioError } from "./twilio/error.ts";
import { messageRoutes } from "./twilio/messages.ts";

const ROUTES: Routes<TwilioCall> = { ...messageRoutes, ...callRoutes, "GET /2010-04-01/Accounts/*": account };

/**
 * Twilio's 2010-04-01 API: messages and calls of one account. A price is null at first and there two seconds of the clock
 * later, as at Twilio; Twilio's own magic numbers (+15005550001, …) are refused as Twilio refuses them.
 */
export function twilioSandbox(clock: Clock, credential: TwilioAccount): SandboxVendor {
  const messages: TwilioCall["messages"] = new ObjectStore();
  const calls: TwilioCall["calls"] = new ObjectStore();

  const work = (request: SandboxRequest): SandboxAnswer => {
    checkCredential(request, credential);
    const operation = findOperation(ROUTES, request.method, request.path);
    const account = request.path.split("/")[3]?.replace(/\.json$/, "");
    if (!operation || account !== credential.accountSid) return notFound(request.path);
    const form = new URLSearchParams(request.method === "POST" ? request.body : request.query);
    const failure = request.method === "POST" ? failureIn(form.get("Body") ?? form.get("Twiml") ?? "") : undefined;
    return perform(failure, fault, () => operation({ account: credential, clock, messages, calls, form }));
  };

  return { fault, answer: (request) => answerOf(() => work(request)) };
}

function fault(status: number, message: string): SandboxAnswer {
  return twilioError(status, status === 429 ? 20429 : 20500, message);
}

function notFound(path: string): SandboxAnswer {
  return twilioError(404, 20404, `The requested resource ${path} was not found`);
}

function checkCredential(request: SandboxRequest, real: TwilioAccount): void {
  const presented = basicCredential(request.headers.get("authorization"));
  const known =
    presented !== undefined &&
    sameCredential(`${presented.user}:${presented.password}`, `${real.accountSid}:${real.authToken}`);
  if (!known) {
    throw new Refusal({
      ...twilioError(401, 20003, "Authenticate"),
      headers: { "www-authenticate": 'Basic realm="Twilio API"' },
    });
  }
}

/** Twilio answers this with the real auth token in it; so does the sandbox, to show what becomes of it at the proxy. */
function account({ account: { accountSid, authToken } }: TwilioCall, file: string): SandboxAnswer {
  const uri = `/2010-04-01/Accounts/${accountSid}.json`;
  if (file !== `${accountSid}.json`) return notFound(`/2010-04-01/Accounts/${file}`);
  const json = {
    auth_token: authToken,
    friendly_name: "Keybrake sandbox",
    owner_account_sid: accountSid,
    sid: accountSid,
    status: "active",
    type: "Full",
    uri,
  };
  return { status: 200, json };
}
