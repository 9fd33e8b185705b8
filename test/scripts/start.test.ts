import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync, rmSync, utimesSync } from "node:fs";
import { BareClone, PINNED } from "./bare-clone.ts";

let clone: BareClone;
beforeEach(() => {
  clone = new BareClone();
  configured([]);
});
afterEach(() => clone.remove());

/** A Bun whose build makes a binary that logs how it was called and knows of `vendors` with their secrets. */
function configured(vendors: readonly { name: string; configured: boolean }[]): void {
  clone.write(
    "binary",
    `#!/bin/sh
echo "keybrake $* url=\${KEYBRAKE_URL:-}" >>"${clone.path("log")}"
[ "$1" = vendor ] && echo '${JSON.stringify(vendors, null, 1)}'
[ "$1" = serve ] && exit 7
exit 0
`,
  );
  clone.command(
    "bun",
    `case "$1" in
  --version) echo ${PINNED} ;;
  install) mkdir -p node_modules ;;
  scripts/build.ts) log build; mkdir -p dist; cp binary dist/keybrake; chmod +x dist/keybrake ;;
esac`,
  );
}

const served = () => clone.logged().filter((line) => line.startsWith("keybrake serve"));
const BOTH = [
  { name: "stripe", configured: true },
  { name: "twilio", configured: false },
];

test("compiles, then becomes `keybrake serve`: the exit code is the server's", async () => {
  configured(BOTH);
  const outcome = await clone.run("scripts/start", ["--listen", "127.0.0.1:0"]);
  expect(outcome.exitCode).toBe(7);
  expect(outcome.stdout).toBe("");
  expect(clone.logged()[0]).toBe("build");
  expect(served()).toEqual(["keybrake serve --listen 127.0.0.1:0 url="]);
});

test("adds --sandbox where no vendor secret is configured, and says so", async () => {
  configured([{ name: "stripe", configured: false }]);
  const { stderr } = await clone.run("scripts/start", ["--listen=127.0.0.1:9000", "--data", "a b"]);
  expect(served()).toEqual(["keybrake serve --listen=127.0.0.1:9000 --data a b --sandbox url="]);
  expect(stderr).toContain("SANDBOX: no vendor secret is configured");
  expect(stderr).toContain("\n     dist/keybrake demo\n");
  expect(stderr).toContain("key issue --template billing --label first-run --quiet --data a\\ b)");
  expect(stderr).toContain("http://127.0.0.1:9000/stripe/v1/payment_intents");
});

test("asks about the data folder that it will serve, and not another server", async () => {
  await clone.run("scripts/start", ["--data", "somewhere"], { KEYBRAKE_URL: "http://127.0.0.1:1" });
  expect(clone.logged()).toContain("keybrake vendor list --json --data somewhere url=");
});

test.each([
  ["where a vendor is configured", BOTH, [], ""],
  ["a second time where it was asked for", [], ["--sandbox"], " --sandbox"],
] as const)("does not add --sandbox %s, nor the notice", async (_, vendors, args, passed) => {
  configured(vendors);
  const { stderr } = await clone.run("scripts/start", args);
  expect(served()).toEqual([`keybrake serve${passed} url=`]);
  expect(stderr).not.toContain("SANDBOX");
});

test("prints a loopback address where it listens on all of them", async () => {
  const { stderr } = await clone.run("scripts/start", [], { KEYBRAKE_LISTEN: "0.0.0.0:8000" });
  expect(stderr).toContain("http://127.0.0.1:8000/stripe/");
});

test("the printed commands are valid shell", async () => {
  const { stderr } = await clone.run("scripts/start", ["--data", "it's $HOME"]);
  const commands = stderr.split("\n").filter((line) => line.startsWith("     "));
  expect(commands).toHaveLength(2);
  for (const command of commands) expect(Bun.spawnSync(["bash", "-n", "-c", command]).exitCode).toBe(0);
});

test("compiles again only when a source has changed or gone", async () => {
  const builds = async () => {
    await clone.run("scripts/start");
    return clone.logged().filter((line) => line === "build").length;
  };
  const later = (path: string, seconds: number) => {
    const at = Date.now() / 1000 + seconds;
    utimesSync(clone.path(path), at, at);
  };
  clone.write("src/core/gone.ts", "");
  expect(await builds()).toBe(1);
  expect(await builds()).toBe(1);
  later("src/main.ts", 60);
  expect(await builds()).toBe(2);
  later("src/main.ts", -60);
  expect(await builds()).toBe(2);
  rmSync(clone.path("src/core/gone.ts"));
  later("src/core", 60);
  expect(await builds()).toBe(3);
});

test("stops where the vendors cannot be read, with the binary's own message", async () => {
  clone.write("binary", "#!/bin/sh\necho 'keybrake: error: the master key is missing' >&2; exit 1\n");
  const outcome = await clone.run("scripts/start");
  expect(outcome.exitCode).toBe(1);
  expect(outcome.stderr).toContain("keybrake: error: the master key is missing");
  expect(readFileSync(clone.path("log"), "utf8")).toBe("build\n");
});
