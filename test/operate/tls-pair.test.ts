import { afterAll, describe, expect, test } from "bun:test";
import { createPrivateKey } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readTlsPair } from "../../src/operate/tls-pair.ts";
import { makeAuthority } from "../harness/certificate.ts";
import { START_MS } from "./installed.ts";

const DAY_MS = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), "keybrake-tls-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const authority = makeAuthority();
const own = authority.issue({ from: START_MS, days: 30, names: ["keybrake.example", "*.agents.example", "10.0.0.5"] });
const other = authority.issue({ from: START_MS });
const encrypted = createPrivateKey(own.key)
  .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" })
  .toString();

let count = 0;

function files(certificate: string, key: string, mode = 0o600): { certFile: string; keyFile: string } {
  count += 1;
  const [certFile, keyFile] = [join(folder, `${count}.crt`), join(folder, `${count}.key`)];
  writeFileSync(certFile, certificate, { mode: 0o644 });
  writeFileSync(keyFile, key);
  chmodSync(keyFile, mode);
  return { certFile, keyFile };
}

test("reads a certificate with its chain, and says whom it is for and until when", () => {
  const pair = readTlsPair(files(own.certificate + authority.certificate, own.key), START_MS);
  expect(pair.expiresAt).toBe(START_MS + 30 * DAY_MS);
  const hosts = [
    "keybrake.example",
    "a.agents.example",
    "10.0.0.5",
    "agents.example",
    "a.b.agents.example",
    "10.0.0.6",
  ];
  expect(hosts.map((host) => pair.covers(host))).toEqual([true, true, true, false, false, false]);
  expect(JSON.stringify(pair)).not.toContain("PRIVATE");
});

const WRONG: readonly (readonly [what: string, certificate: string, key: string, now: number, message: RegExp])[] = [
  ["a key of another certificate", own.certificate, other.key, START_MS, /is not that of the certificate/],
  [
    "the certificate of the authority first",
    authority.certificate + own.certificate,
    own.key,
    START_MS,
    /is not that of/,
  ],
  ["a certificate that has expired", own.certificate, own.key, START_MS + 30 * DAY_MS, /expired at 2026-01-31T00:00/],
  ["a certificate of tomorrow", own.certificate, own.key, START_MS - 1, /only from 2026-01-01T00:00:00.000Z on/],
  ["no certificate", "", own.key, START_MS, /no certificate in PEM/],
  ["the key for a certificate", own.key, own.key, START_MS, /no certificate in PEM/],
  ["no key", own.certificate, "", START_MS, /no private key in PEM/],
  ["the certificate for a key", own.certificate, own.certificate, START_MS, /no private key in PEM/],
  ["an encrypted key", own.certificate, encrypted, START_MS, /is encrypted/],
  [
    "a chain that is cut off",
    `${own.certificate}${authority.certificate.replace(/.{40}\n/, "\n")}`,
    own.key,
    START_MS,
    /cannot be read/,
  ],
];

test.each(WRONG)("refuses %s, and says so", (_what, certificate, key, now, message) => {
  expect(() => readTlsPair(files(certificate, key), now)).toThrow(message);
});

describe("the key's file", () => {
  test.each([0o640, 0o604, 0o644, 0o660, 0o666])("is refused with mode %o where it is this user's", (mode) => {
    const isRoot = process.geteuid?.() === 0;
    const read = () => readTlsPair(files(own.certificate, own.key, mode), START_MS);
    // Root may let a group read its own file, and nobody else.
    if (isRoot && mode === 0o640) expect(read).not.toThrow();
    else expect(read).toThrow(/open to other users/);
  });

  test.each([0o600, 0o400])("is taken with mode %o", (mode) => {
    expect(() => readTlsPair(files(own.certificate, own.key, mode), START_MS)).not.toThrow();
  });

  test("is named where it is missing", () => {
    const { certFile } = files(own.certificate, own.key);
    const keyFile = join(folder, "none.key");
    expect(() => readTlsPair({ certFile, keyFile }, START_MS)).toThrow(
      `tls_key is ${keyFile}, and there is no such file`,
    );
  });
});
