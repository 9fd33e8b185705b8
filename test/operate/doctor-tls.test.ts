import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../../src/config.ts";
import { tls } from "../../src/operate/doctor-tls.ts";
import { makeAuthority } from "../harness/certificate.ts";
import { START_MS, TestClock } from "./installed.ts";

const DAY_MS = 86_400_000;
let folder: string;
let files: Config["tls"];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "keybrake-doctor-tls-"));
  const { certificate, key } = makeAuthority().issue({ from: START_MS, days: 30, names: ["keybrake.example"] });
  files = { certFile: join(folder, "tls.crt"), keyFile: join(folder, "tls.key") };
  writeFileSync(files.certFile, certificate);
  writeFileSync(files.keyFile, key, { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function findings(publicUrl: string, days: number): readonly string[] {
  const clock = new TestClock();
  clock.nowMs += days * DAY_MS;
  const config = { tls: files, publicUrl } as Config;
  return tls({ config, clock }).map(({ level, message }) => `${level}: ${message}`);
}

test("says for whom a certificate is good and for how long, and warns 14 days before its end", () => {
  const url = "https://keybrake.example:7878";
  expect(findings(url, 0)).toEqual([expect.stringMatching(/^ok: .*for keybrake\.example until 2026-01-31.*30 days/)]);
  expect(findings(url, 15)).toEqual([expect.stringMatching(/^ok: .*15 days/)]);
  expect(findings(url, 16)).toEqual([expect.stringMatching(/^warning: .*14 days/)]);
  expect(() => findings(url, 30)).toThrow("expired");
});

test("says so where the certificate is not for the address that agents are told", () => {
  expect(findings("https://127.0.0.1:7878", 0)).toEqual([expect.stringMatching(/^error: .*not for 127\.0\.0\.1/)]);
});

test("has nothing to say where there is no TLS", () => {
  expect(tls({ config: { publicUrl: "http://127.0.0.1:7878" } as Config, clock: new TestClock() })).toEqual([]);
});
