import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  ApiError,
  asCapHit,
  CapHit,
  Keybrake,
  type KeybrakeError,
  Misconfigured,
  VaultKey,
} from "../../clients/typescript/src/keybrake.ts";
import { type Bench, makeBench, type RunningKeybrake } from "../harness/keybrake.ts";
import { programsOf } from "./readme-code.ts";

const ROOT = resolve(import.meta.dir, "../..");
const PACKAGE = join(ROOT, "clients/typescript");
const TSC = [process.execPath, join(ROOT, "node_modules/.bin/tsc")];
const PROGRAMS = programsOf(join(PACKAGE, "README.md"), "ts");

let bench: Bench;
let server: RunningKeybrake;
let apiKey: string;
let folder: string;

/** The package as npm would lay it out, beside the SDKs. */
beforeAll(async () => {
  bench = await makeBench();
  server = await bench.serve(["--sandbox"]);
  apiKey = (await bench.json<{ token: string }>(["token", "issue", "--role", "admin"])).token;
  folder = mkdtempSync(join(tmpdir(), "keybrake-package-"));
  const installed = join(folder, "node_modules/keybrake");
  mkdirSync(installed, { recursive: true });
  copyFileSync(join(PACKAGE, "package.json"), join(installed, "package.json"));
  for (const sdk of ["stripe", "twilio", "resend"]) {
    symlinkSync(join(ROOT, "node_modules", sdk), join(folder, "node_modules", sdk));
  }
  const built = Bun.spawnSync([...TSC, "-p", PACKAGE, "--outDir", join(installed, "dist")], { cwd: PACKAGE });
  expect(built.stdout.toString() + built.stderr.toString()).toBe("");
  for (const [index, { code }] of PROGRAMS.entries()) writeFileSync(join(folder, `readme-${index}.mts`), code);
  const compilerOptions = {
    target: "ES2022",
    module: "NodeNext",
    lib: ["ES2022", "ESNext.Disposable", "DOM"],
    types: ["node"],
    typeRoots: [join(ROOT, "node_modules/@types")],
    strict: true,
    skipLibCheck: true,
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.mts"] }));
});
afterAll(async () => {
  await bench.stop();
  rmSync(folder, { recursive: true, force: true });
});

const clientOf = (failures: KeybrakeError[] = []) =>
  new Keybrake({ url: server.url, apiKey, onRevokeFailure: (_key, failure) => failures.push(failure) });
const statusOf = async (id: string) =>
  (await bench.json<{ status: string; revoke_reason: string }>(["key", "show", id])).status;

describe("the page of the package", () => {
  test("passes tsc --strict with the official SDKs", () => {
    const check = Bun.spawnSync([...TSC, "-p", folder], { cwd: folder });
    expect(check.stdout.toString() + check.stderr.toString()).toBe("");
  });

  test.each(PROGRAMS.map((program, index) => [index, program] as const))(
    "prints what it says: %d",
    async (index, of) => {
      const child = Bun.spawn(["node", `readme-${index}.mjs`], {
        cwd: folder,
        // An address of Twilio's in the environment must not lead past Keybrake.
        env: {
          PATH: process.env["PATH"],
          KEYBRAKE_URL: server.url,
          KEYBRAKE_API_KEY: apiKey,
          TWILIO_EDGE: "sydney",
          STRIPE_SUPPRESS_NOTICES: "true",
        },
        stdout: "pipe",
        stderr: "pipe",
      });
      const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
      expect(err).toBe("");
      expect(out).toBe(of.prints);
      expect(await bench.json<unknown[]>(["key", "list", "--active"])).toEqual([]);
    },
  );
});

describe("a run", () => {
  const request = { template: "billing", label: "package/1" };

  test("revokes its key and gives on what its body threw", async () => {
    let id = "";
    const run = clientOf().withVaultKey(request, (key) => {
      id = key.id;
      throw new RangeError("its own");
    });
    await expect(run).rejects.toThrow(new RangeError("its own"));
    expect(await statusOf(id)).toBe("revoked");
  });

  test("does not let a failing revoke hide what its body threw or returned", async () => {
    const failures: KeybrakeError[] = [];
    const client = clientOf(failures);
    client.revoke = () => Promise.reject(new ApiError(500, "internal", "no revoke today"));
    await expect(client.withVaultKey(request, () => 42)).resolves.toBe(42);
    await expect(client.withVaultKey(request, () => Promise.reject(new RangeError("its own")))).rejects.toThrow(
      "its own",
    );
    expect(failures.map(({ message }) => message)).toEqual(["no revoke today", "no revoke today"]);
    await bench.cli(["key", "revoke", "--run", "package/1"]);
  });

  test("is revoked by its label where its key is not at hand", async () => {
    const client = clientOf();
    const [one, another] = [await client.issue(request), await client.issue({ ...request, label: "package/2" })];
    await client.revokeRun("package/1", "cancelled");
    expect([await statusOf(one.id), await statusOf(another.id)]).toEqual(["revoked", "active"]);
    await client.revoke(another);
  });

  test("says what the control API said where no key is issued", async () => {
    const refused = clientOf().issue({ template: "biling" });
    await expect(refused).rejects.toMatchObject({ name: "ApiError", code: "invalid", status: 422 });
  });

  test("does not show the secret where a key is printed, and keeps it in JSON", async () => {
    const client = clientOf();
    const key = await client.issue(request);
    await client.revoke(key);
    expect(Bun.inspect(key)).not.toContain(key.token);
    expect(new VaultKey(JSON.parse(JSON.stringify(key))).token).toBe(key.token);
    expect(() => key.baseUrl("twilio")).toThrow(Misconfigured);
  });

  test.each(["", "keybrake.example", "http://keybrake.example", "https://a@keybrake.example"])(
    "does not begin with the address %j",
    (url) => {
      expect(() => new Keybrake({ url, apiKey })).toThrow(Misconfigured);
    },
  );

  test("sends its token to no other address", async () => {
    const seen: string[] = [];
    const other = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: ({ url }) => new Response(seen.push(url).toString()),
    });
    const moved = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => Response.redirect(other.url.href, 307) });
    const refused = new Keybrake({ url: moved.url.href, apiKey }).issue(request);
    await expect(refused).rejects.toMatchObject({ status: 307, code: "no_keybrake" });
    expect(seen).toEqual([]);
    await Promise.all([other.stop(true), moved.stop(true)]);
  });
});

describe("a cap hit", () => {
  const SENTENCE =
    "Keybrake: The cap daily_usd_cap is reached: $10.00 of $10.00 is used and this call may cost $2.50. It resets at 2026-01-02T00:00:00.000Z. Do not retry.";

  test.each([
    ["Stripe's headers", { message: SENTENCE, headers: { "x-keybrake-cap-hit": "true" } }],
    ["Twilio's number", { message: SENTENCE, code: 900022, status: 429 }],
    [
      "an HTTP client's response",
      { message: SENTENCE, response: { headers: new Headers({ "X-Keybrake-Cap-Hit": "true" }) } },
    ],
  ])("is known by %s, with its numbers", (_by, error) => {
    const { used_usd, requested_usd, reset_at, budget } = asCapHit(error)!.details;
    expect([budget, used_usd, requested_usd, reset_at]).toEqual([
      "daily_usd_cap",
      "10.00",
      "2.50",
      "2026-01-02T00:00:00.000Z",
    ]);
  });

  test("is known beneath what was thrown for it", () => {
    expect(asCapHit(new Error("the batch failed", { cause: new CapHit("a cap") }))).toBeInstanceOf(CapHit);
  });

  test.each([
    ["a vendor's own limit", { message: "Too many requests", code: 20429, status: 429, headers: {} }],
    ["words of a vendor's that repeat ours", { message: SENTENCE, code: 21211, status: 400 }],
    ["another refusal of Keybrake's", { message: "Keybrake: no", keybrake: { code: "endpoint_denied" } }],
    ["nothing", undefined],
  ])("is not seen in %s", (_in, error) => {
    expect(asCapHit(error)).toBeUndefined();
  });
});
