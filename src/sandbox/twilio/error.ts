import { Refusal, type SandboxAnswer } from "../exchange.ts";

/** `{code, message, more_info, status}`, from which every Twilio SDK makes its exception. */
export function twilioError(status: number, code: number, message: string): SandboxAnswer {
  return { status, json: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status } };
}

/** Numbers that Twilio refuses on purpose, with the code and message of the refusal. */
export type MagicNumbers = ReadonlyMap<string, readonly [code: number, message: string]>;

/** @throws Refusal always: 400. */
export function refuse(code: number, message: string): never {
  throw new Refusal(twilioError(400, code, message));
}

/** A number in E.164, a short code, a name (`Acme`), or one of the first on another channel (`whatsapp:+…`). */
const SENDER =
  /^(?:(?:whatsapp|messenger|rcs|sip|client):\S{1,100}|\+[1-9][0-9]{6,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11})$/;

/** The sandbox's account owns every number there could be. @throws Refusal 400, code 21212, for what is none. */
export function checkSender(from: string): void {
  if (SENDER.test(from)) return;
  const shown = from.slice(0, 60);
  refuse(21212, `Invalid 'From' Number: ${shown}. The sandbox takes any number in E.164, such as +15005550006`);
}
