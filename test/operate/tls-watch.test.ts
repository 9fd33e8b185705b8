import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogFields } from "../../src/log.ts";
import { readTlsPair } from "../../src/operate/tls-pair.ts";
import { stampOf, TlsWatch } from "../../src/operate/tls-watch.ts";
import { makeAuthority } from "../harness/certificate.ts";
import { START_MS, TestClock } from "./installed.ts";

const DAY_MS = 86_400_000;
const authority = makeAuthority();
const FIRST = authority.issue({ from: START_MS, days: 30 });
const SECOND = authority.issue({ from: START_MS, days: 60 });

let folder: string;
let clock: TestClock;
let told: (LogFields & { event: string })[];
let inForce: string[];
let failure: Error | undefined;
let watch: TlsWatch;

const files = () => ({ certFile: join(folder, "tls.crt"), keyFile: join(folder, "tls.key") });
const put = (certificate: string, key: string) => {
  writeFileSync(files().certFile, certificate);
  writeFileSync(files().keyFile, key, { mode: 0o600 });
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keybrake-watch-"));
  [clock, told, inForce, failure] = [new TestClock(), [], [], undefined];
  put(FIRST.certificate, FIRST.key);
  const note = (event: string, fields: LogFields = {}) => told.push({ event, ...fields });
  const renew = async ({ certificate }: { certificate: string }) => {
    if (failure) throw failure;
    inForce.push(certificate);
  };
  const options = { files: files(), clock, log: { info: note, error: note }, renew };
  watch = new TlsWatch(options, readTlsPair(files(), clock.now()), stampOf(files()));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const events = () => told.map(({ event }) => event);

test("does nothing while the files are as they were, or have the same in them", async () => {
  await watch.look();
  put(FIRST.certificate, FIRST.key);
  await watch.look();
  expect([inForce, events()]).toEqual([[], []]);
});

test("puts a renewed pair in force, once", async () => {
  put(SECOND.certificate, SECOND.key);
  await watch.look();
  await watch.look();
  expect(inForce).toEqual([SECOND.certificate]);
  expect(told).toEqual([{ event: "tls_renewed", expires_at: "2026-03-02T00:00:00.000Z" }]);
});

test("keeps the pair that it has while only one of the new files is there, and takes both then", async () => {
  put(SECOND.certificate, FIRST.key);
  await watch.look();
  expect([inForce, events()]).toEqual([[], ["tls_renewal_failed"]]);
  put(SECOND.certificate, SECOND.key);
  await watch.look();
  expect(inForce).toEqual([SECOND.certificate]);
});

test("keeps it where the files are gone, open to others or expired", async () => {
  rmSync(files().keyFile);
  await watch.look();
  put(SECOND.certificate, SECOND.key);
  clock.nowMs += 61 * DAY_MS;
  await watch.look();
  expect(inForce).toEqual([]);
  expect(events()).toEqual(["tls_renewal_failed", "tls_renewal_failed", "tls_expires_soon"]);
});

test("tries again where the listeners did not take it", async () => {
  put(SECOND.certificate, SECOND.key);
  failure = new Error("cannot listen");
  await watch.look();
  failure = undefined;
  await watch.look();
  expect(inForce).toEqual([SECOND.certificate]);
});

test("says once a day that a certificate nears its end, and no more once it is renewed", async () => {
  clock.nowMs += 16 * DAY_MS;
  await watch.look();
  await watch.look();
  clock.nowMs += DAY_MS;
  await watch.look();
  put(SECOND.certificate, SECOND.key);
  await watch.look();
  clock.nowMs += DAY_MS;
  await watch.look();
  expect(events()).toEqual(["tls_expires_soon", "tls_expires_soon", "tls_renewed"]);
});
