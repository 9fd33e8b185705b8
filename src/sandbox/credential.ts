import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

const ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** `length` random letters and digits, the alphabet of Stripe's and Resend's ids and keys. */
export function randomAlphanumeric(length: number): string {
  let text = "";
  for (const byte of randomBytes(length)) text += ALPHANUMERIC[byte % ALPHANUMERIC.length];
  return text;
}

/** `digits` random lower-case hexadecimal digits, the alphabet of Twilio's SIDs. */
export function randomHex(digits: number): string {
  return randomBytes(Math.ceil(digits / 2))
    .toString("hex")
    .slice(0, digits);
}

/** Compares in a time that does not depend on where the two differ. */
export function sameCredential(presented: string, real: string): boolean {
  return timingSafeEqual(digest(presented), digest(real));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** The token of `Authorization: Bearer …`, or undefined. The scheme is case-insensitive (RFC 9110 §11.1). */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
}

export interface BasicCredential {
  readonly user: string;
  readonly password: string;
}

/** User and password of `Authorization: Basic …` (RFC 7617), or undefined where there is no such pair. */
export function basicCredential(authorization: string | undefined): BasicCredential | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=]+)$/i.exec(authorization ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  return colon < 0 ? undefined : { user: pair.slice(0, colon), password: pair.slice(colon + 1) };
}
