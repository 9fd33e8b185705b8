import { createHash, createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { TlsFiles } from "../config.ts";
import { isAddress } from "../core/address.ts";
import { Problem } from "../core/problem.ts";
import { Secret } from "../core/secret.ts";
import type { EpochMs } from "../core/window.ts";
import { readPrivateFile } from "../vault/private-file.ts";
import { isoTime } from "./key-view.ts";

const FILE_BYTES_MAX = 256 * 1024;

/** A certificate with its chain, and its key: both fit, and the certificate is good at this time. */
export interface TlsPair {
  /** PEM, the server's own certificate first. */
  readonly certificate: string;
  /** PEM. */
  readonly key: Secret;
  /** Tells one key from another. */
  readonly keyId: string;
  readonly expiresAt: EpochMs;
  /** Whether clients that call this name or address take it. */
  covers(host: string): boolean;
}

/**
 * Reads both files.
 * @throws Problem that names the file: missing, open to others, no PEM, encrypted, of another certificate, or not good now.
 */
export function readTlsPair({ certFile, keyFile }: TlsFiles, now: EpochMs): TlsPair {
  const certificate = read(certFile, "tls_cert", false);
  const key = read(keyFile, "tls_key", true);
  const leaf = parseCertificate(certFile, certificate);
  const privateKey = parseKey(keyFile, key);
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new Problem(
      "invalid",
      `the key in ${keyFile} is not that of the certificate in ${certFile}`,
      "give the certificate and the key that were made together, the server's own certificate first in its file",
    );
  }
  tryChain(certFile, certificate, key);
  const [from, until] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()];
  if (now < from || now >= until) {
    const when = now < from ? `is good only from ${isoTime(from)} on` : `expired at ${isoTime(until)}`;
    throw new Problem("invalid", `the certificate in ${certFile} ${when}`, "renew it, or correct the machine's clock");
  }
  const keyId = createHash("sha256").update(key).digest("hex");
  return { certificate, key: new Secret(key), keyId, expiresAt: until, covers: (host) => covers(leaf, host) };
}

/** The key is for the owner's eyes; root may hand it over to a group (0640), as systems with one store for keys do. */
function read(path: string, setting: string, strict: boolean): string {
  const text = readPrivateFile(path, { strict, allowRootsGroup: true, bytesMax: FILE_BYTES_MAX });
  if (text !== undefined) return text;
  throw new Problem("invalid", `${setting} is ${path}, and there is no such file`, "give the path of a PEM file");
}

function parseCertificate(path: string, text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch {
    throw new Problem("invalid", `${path} has no certificate in PEM`, "it begins with -----BEGIN CERTIFICATE-----");
  }
}

function parseKey(path: string, text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_MISSING_PASSPHRASE") {
      throw new Problem(
        "invalid",
        `the key in ${path} is encrypted`,
        "a server starts unasked: store the key decrypted",
      );
    }
    throw new Problem("invalid", `${path} has no private key in PEM`, "it begins with -----BEGIN PRIVATE KEY-----");
  }
}

/** The further certificates of the chain, too, are read only here before there is a listener. */
function tryChain(path: string, certificate: string, key: string): void {
  try {
    createSecureContext({ cert: certificate, key });
  } catch {
    throw new Problem("invalid", `${path} has a certificate that cannot be read`, "give the whole chain in PEM");
  }
}

function covers(leaf: X509Certificate, host: string): boolean {
  return (isAddress(host) ? leaf.checkIP(host) : leaf.checkHost(host)) !== undefined;
}
