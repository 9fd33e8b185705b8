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
