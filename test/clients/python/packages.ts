// Not *.test.ts: `./scripts/test-clients` runs it, after it has installed Python's packages.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { type Bench, makeBench, type RunningKeybrake } from "../../harness/keybrake.ts";
import { programsOf } from "../readme-code.ts";

const ROOT = resolve(import.meta.dir, "../../..");
const PACKAGE = join(ROOT, "clients/python");
const PYTHON = join(ROOT, ".tools/python-clients/bin/python");

let bench: Bench;
let server: RunningKeybrake;
let apiKey: string;

beforeAll(async () => {
  bench = await makeBench();
  server = await bench.serve(["--sandbox"]);
  apiKey = (await bench.json<{ token: string }>(["token", "issue", "--role", "admin"])).token;
});
afterAll(() => bench.stop());

async function python(args: readonly string[], cwd = ROOT): Promise<{ out: string; err: string; code: number }> {
  const child = Bun.spawn([PYTHON, ...args], {
    cwd,
    env: {
      PATH: process.env["PATH"],
      PYTHONPATH: join(PACKAGE, "src"),
      KEYBRAKE_URL: server.url,
      KEYBRAKE_API_KEY: apiKey,
      // An address of Twilio's in the environment must not lead past Keybrake.
      TWILIO_EDGE: "sydney",
      // Stripe's warnings of what is left of a cap.
      PYTHONWARNINGS: "ignore",
    },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { out, err, code: await child.exited };
}

test("the package passes mypy --strict", async () => {
  expect(await python(["-m", "mypy", "--cache-dir=/dev/null"], PACKAGE)).toMatchObject({ code: 0 });
});

describe("the page of the package", () => {
  const programs = programsOf(join(PACKAGE, "README.md"), "python");

  test.each(programs.map((program, index) => [index, program] as const))(
    "prints what it says: %d",
    async (_index, of) => {
      expect(await python(["-c", of.code])).toEqual({ out: of.prints, err: "", code: 0 });
      expect(await bench.json<unknown[]>(["key", "list", "--active"])).toEqual([]);
    },
  );
});

test("the story of the package: errors, pickles, cancellation, what is no cap hit", async () => {
  expect(await python(["test/clients/python/story.py", "-q"])).toMatchObject({ code: 0 });
});
