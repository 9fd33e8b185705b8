import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

const DAY_MS = 86_400_000;

export interface MadeCertificate {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** The moment from which it is good, in epoch milliseconds; a day ago without it. */
  readonly from?: number;
  readonly days?: number;
  /** DNS names and IPv4 addresses; `localhost` and `127.0.0.1` without it. */
  readonly names?: readonly string[];
}

export interface Authority {
  /** PEM. */
  readonly certificate: string;
  issue(options?: CertificateOptions): MadeCertificate;
}

/** An authority of the test's own: P-256 keys, and X.509 (RFC 5280) in the few DER elements that it takes. */
export function makeAuthority(): Authority {
  const issuer = "Test authority";
  const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const span = [Date.UTC(2020, 0, 1), Date.UTC(2049, 0, 1)] as const;
  const root = { issuer, subject: issuer, span, extensions: [CA], publicKey: own.publicKey };
  return {
    certificate: signed(root, own.privateKey),
    issue: ({ from = Date.now() - DAY_MS, days = 90, names = ["localhost", "127.0.0.1"] } = {}) => {
      const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const span = [from, from + days * DAY_MS] as const;
      const leaf = { issuer, subject: names[0]!, span, extensions: [alternativeNames(names)], publicKey };
      const key = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
      return { certificate: signed(leaf, own.privateKey), key };
    },
  };
}

interface ToSign {
  readonly issuer: string;
  readonly subject: string;
  readonly span: readonly [from: number, until: number];
  readonly extensions: readonly Buffer[];
  readonly publicKey: KeyObject;
}

function signed({ issuer, subject, span, extensions, publicKey }: ToSign, by: KeyObject): string {
  const body = sequence(
    element(0xa0, integer(2)), // version 3
    element(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])), // serial number
    ECDSA_WITH_SHA256,
    name(issuer),
    sequence(...span.map(time)),
    name(subject),
    publicKey.export({ type: "spki", format: "der" }),
    element(0xa3, sequence(...extensions)),
  );
  const der = sequence(body, ECDSA_WITH_SHA256, bits(sign("sha256", body, by)));
  const lines = der.toString("base64").match(/.{1,64}/g)!;
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** Tag, length and content (X.690). */
function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head =
    length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(head), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return element(0x30, Buffer.concat(parts));
}

function integer(value: number): Buffer {
  return element(0x02, Buffer.from([value]));
}

function bits(content: Buffer): Buffer {
  return element(0x03, Buffer.concat([Buffer.from([0]), content]));
}

function oid(hex: string): Buffer {
  return element(0x06, Buffer.from(hex, "hex"));
}

function name(commonName: string): Buffer {
  return sequence(element(0x31, sequence(oid("550403"), element(0x0c, Buffer.from(commonName)))));
}

/** GeneralizedTime, without the fraction of a second. */
function time(epochMs: number): Buffer {
  const text = new Date(epochMs).toISOString().replace(/[-:T]|\.\d+/g, "");
  // Before 2050 it has to be UTCTime, with two digits of the year.
  return element(0x17, Buffer.from(text.slice(2)));
}

const ECDSA_WITH_SHA256 = sequence(oid("2a8648ce3d040302"));
/** Basic constraints, critical: an authority. */
const CA = sequence(
  oid("551d13"),
  element(0x01, Buffer.from([255])),
  element(0x04, sequence(element(0x01, Buffer.from([255])))),
);

function alternativeNames(names: readonly string[]): Buffer {
  const parts = names.map((text) =>
    /^[0-9.]+$/.test(text) ? element(0x87, Buffer.from(text.split(".").map(Number))) : element(0x82, Buffer.from(text)),
  );
  return sequence(oid("551d11"), element(0x04, sequence(...parts)));
}
