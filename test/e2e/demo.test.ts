import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { type Bench, type CliResult, makeBench } from "../harness/keybrake.ts";

const DEMO_MS = 10_000;

let bench: Bench;
let result: CliResult;
let tookMs: number;

beforeAll(async () => {
  bench = await makeBench();
  const startedMs = performance.now();
  result = await bench.cli(["demo", "--fast"], { environment: { TMPDIR: bench.environment["HOME"]! } });
  tookMs = performance.now() - startedMs;
});
afterAll(() => bench.stop());

describe("keybrake demo --fast", () => {
  test("tells its story to the end within ten seconds, and says nothing on stderr", () => {
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(tookMs).toBeLessThan(DEMO_MS);
  });

  const STORY: readonly (readonly [what: string, said: RegExp])[] = [
    ["the proxy that listens", /Keybrake listens on http:\/\/127\.0\.0\.1:\d+/],
    ["the key of the run, but not whole", /vault_key_\w{1,10}…/],
    ["charges that succeed, with what is left", /200 charged, \$\d+\.\d\d left/],
    ["the cap that stops the loop", /429 cap_exceeded\n\s+"The cap daily_usd_cap is reached: \$\d/],
    ["the audit of what happened", /\$ keybrake audit --run \S+[\s\S]*cap_exceeded/],
    ["the revoke", /\$ keybrake key revoke --run \S+\nrevoked vk_\w+/],
    [
      "the call after it",
      /401 key_revoked\n\s+"This vault key has been revoked\. The operator said: stuck loop\. Stop this run\."/,
    ],
  ];

  for (const [what, said] of STORY) {
    test(`shows ${what}`, () => expect(result.stdout).toMatch(said));
  }

  test("shows them in that order", () => {
    const places = STORY.map(([, said]) => result.stdout.search(said));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  test("leaves nothing behind: no data directory of its own, and the operator's untouched", () => {
    expect(existsSync(bench.dataDir)).toBe(false);
    expect(readdirSync(bench.environment["HOME"]!)).toEqual([]);
  });
});
