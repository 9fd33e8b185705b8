import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Glob } from "bun";
import * as check from "./tidy/checks.ts";
import { functionsOf } from "./tidy/functions.ts";
import { checkDirection, checkPage, type Layers } from "./tidy/imports.ts";
import { readSource, type Source } from "./tidy/source.ts";
import { describeViolation, type Violation } from "./tidy/violation.ts";

/** What each layer may import. Within itself a layer is free. */
const ENTRY_LAYERS = [
  "core",
  "vendors",
  "policy",
  "ledger",
  "vault",
  "store",
  "audit",
  "operate",
  "config.ts",
  "log.ts",
];
const LAYERS: Layers = {
  core: [],
  vendors: ["core"],
  policy: ["core", "vendors"],
  audit: ["core"],
  vault: ["core"],
  ledger: ["core", "policy", "audit"],
  store: ["core", "policy", "ledger", "audit", "vault"],
  telemetry: [...ENTRY_LAYERS, "config-traces.ts"],
  sandbox: ["core"],
  // The views of the API, as types: a check of its own says that the page takes nothing else from there.
  dashboard: ["core", "operate"],
  "log.ts": ["core"],
  "config-file.ts": ["core"],
  "config-secrets.ts": ["core", "config-file.ts"],
  "config-alerts.ts": ["core", "config-file.ts", "config-secrets.ts"],
  "config-traces.ts": ["core", "config-file.ts", "config-secrets.ts"],
  "config-telemetry.ts": ["core", "config-file.ts", "log.ts"],
  "config-store.ts": ["core"],
  "config-remote.ts": ["core", "config.ts"],
  "config.ts": [
    "core",
    "vendors",
    "config-file.ts",
    "config-alerts.ts",
    "config-telemetry.ts",
    "config-store.ts",
    "config-traces.ts",
    "log.ts",
  ],
  operate: ENTRY_LAYERS,
  alerts: ENTRY_LAYERS,
  proxy: [...ENTRY_LAYERS, "telemetry"],
  api: [...ENTRY_LAYERS, "dashboard", "telemetry", "config-telemetry.ts"],
  "listen.ts": [...ENTRY_LAYERS, "telemetry", "proxy", "api"],
  "server.ts": [...ENTRY_LAYERS, "listen.ts", "sandbox", "dashboard", "alerts", "telemetry", "proxy", "api"],
  cli: "any",
  "main.ts": ["cli"],
};

/** The command line as a client of our own server, and the page in the browser, call nobody else. */
const SENDERS = [
  "src/proxy/forward.ts",
  "src/operate/probe-vendor.ts",
  // Alerts go to receivers of the operator's, with no vendor's secret among them.
  "src/alerts/post.ts",
  // Traces go to the operator's collector; nothing of a call's bytes is among them.
  "src/telemetry/otlp-exporter.ts",
  "src/cli/demo.ts",
  "src/cli/remote/request.ts",
  "src/dashboard/",
];
/** Servers written with node:http and node:net, because they need what Bun.serve hides. They call nobody. */
const LISTENERS = [
  "src/proxy/listener.ts",
  "src/sandbox/listener.ts",
  // Tries a certificate before there is a listener.
  "src/operate/tls-pair.ts",
];
const REVEALERS = [
  "src/vault/seal.ts",
  "src/vault/chain-key.ts",
  "src/proxy/swap.ts",
  // Shown once, when it is made; and the probe that `vendor test` sends.
  "src/operate/issue-key.ts",
  "src/operate/remembered-answers.ts",
  // Looks at what the operator typed before it is sealed.
  "src/operate/vendor-secret.ts",
  "src/operate/tokens.ts",
  "src/api/session.ts",
  // The server's own key, for the handshake.
  "src/proxy/listener.ts",
  "src/operate/probe-vendor.ts",
  // The URL of a target, and what requests to it are signed with.
  "src/alerts/post.ts",
  "src/alerts/message.ts",
  // The control token in a header, and a vendor's secret on its way to the server that seals it.
  "src/cli/remote/request.ts",
  "src/cli/remote/vendors.ts",
  // The headers by which a collector knows its senders.
  "src/telemetry/otlp-exporter.ts",
];
/** Ours, and the browser's, which nobody injects. */
const CLOCKS = ["src/core/clock.ts", "src/dashboard/now.ts"];
const MONEY = ["core", "vendors", "policy", "ledger", "store", "audit", "proxy"].map((layer) => `src/${layer}/`);

const SRC_CHECKS: readonly ((source: Source) => Violation[])[] = [
  (source) => checkDirection(source, LAYERS),
  (source) => checkPage(source, "dashboard"),
  (source) => check.checkNetwork(source, SENDERS, LISTENERS),
  (source) => check.checkEnvironment(source, ["src/config.ts"]),
  (source) => check.checkDatabase(source, ["src/store/"]),
  (source) => check.checkReveal(source, REVEALERS),
  (source) => check.checkClock(source, CLOCKS),
  (source) => check.checkOutput(source, ["src/cli/voice.ts", "src/log.ts"]),
  (source) => check.checkBarrels(source, ["src/vendors/index.ts"]),
  (source) => check.checkMoney(source, MONEY),
  check.checkPure,
  check.checkSize,
];
const EVERYWHERE_CHECKS = [check.checkNames, check.checkTyping, check.checkFinished];

function violations(source: Source): Violation[] {
  const checks = source.path.startsWith("src/") ? [...SRC_CHECKS, ...EVERYWHERE_CHECKS] : EVERYWHERE_CHECKS;
  return checks.flatMap((run) => run(source));
}

const root = resolve(import.meta.dir, "..");
const tree = ["{src,test,scripts}/**/*.{ts,tsx}", "clients/typescript/src/*.ts", "examples/*/check.ts"]
  .flatMap((glob) => [...new Glob(glob).scanSync({ cwd: root })])
  .sort()
  .map((path) => readSource(path, readFileSync(join(root, path), "utf8")));

describe("the tree", () => {
  test("was found", () => {
    expect(tree.map(({ path }) => path)).toContain("src/core/money.ts");
  });

  test("keeps every rule", () => {
    expect(tree.flatMap(violations).map(describeViolation)).toEqual([]);
  });

  test("has small files: half of those in src have at most 130 lines", () => {
    expect(check.medianLines(tree.filter(({ path }) => path.startsWith("src/")))).toBeLessThanOrEqual(130);
  });
});

const longBody = (lines: number) => "  work();\n".repeat(lines);

/** A rule, a file that breaks it, and what it says there. */
const PLANTED: readonly (readonly [rule: string, path: string, text: string])[] = [
  ["direction", "src/core/a.ts", 'import { x } from "../ledger/b.ts";'],
  ["direction", "src/core/a.ts", 'import type { X } from "../vendors/b.ts";'],
  ["direction", "src/vendors/a.ts", 'export { x } from "../policy/b.ts";'],
  ["direction", "src/proxy/a.ts", 'const m = await import("../api/b.ts");'],
  ["direction", "src/store/sqlite/a.ts", 'type T = import("../../proxy/b.ts").T;'],
  ["direction", "src/server.ts", 'import {\n  a,\n  b,\n} from "./cli/voice.ts";'],
  ["direction", "src/main.ts", 'import "./server.ts";'],
  ["direction", "src/proxy/a.ts", 'import { x } from "../../test/vendor.ts";'],
  ["direction", "src/novelty/a.ts", "export const a = 1;"],
  ["page", "src/dashboard/a.ts", 'import { resolveCall } from "../operate/resolve.ts";'],
  [
    "page",
    "src/dashboard/parts/a.tsx",
    'import type { A } from "../../operate/a.ts";\nimport {\n  b,\n} from "../../operate/b.ts";',
  ],
  ["clock", "src/dashboard/a.tsx", "const now = Date.now();"],
  ["network", "src/vendors/a.ts", "await fetch(url);"],
  ["network", "src/vendors/a.ts", "const send = globalThis.fetch;"],
  ["network", "src/api/a.ts", 'new WebSocket("wss://x");'],
  ["network", "src/api/a.ts", 'import { request } from "node:https";'],
  ["network", "src/sandbox/listener.ts", "await fetch(url);"],
  ["environment", "src/proxy/a.ts", "const a = process.env.A;"],
  ["environment", "src/proxy/a.ts", 'const a = process["env"].A;'],
  ["environment", "src/proxy/a.ts", "const { env } = process;"],
  ["environment", "src/proxy/a.ts", "const a = Bun.env.A;"],
  ["environment", "src/proxy/a.ts", "const a = import.meta.env.A;"],
  ["environment", "src/proxy/a.ts", 'import { env } from "node:process";'],
  ["database", "src/ledger/a.ts", 'import { eq } from "drizzle-orm";'],
  ["database", "src/ledger/a.ts", 'import { drizzle } from "drizzle-orm/bun-sqlite";'],
  ["database", "src/ledger/a.ts", 'import { Database } from "bun:sqlite";'],
  ["database", "src/ledger/a.ts", "const db = new Bun.SQL(url);"],
  ["reveal", "src/proxy/forward.ts", "const a = secret.reveal();"],
  ["reveal", "src/proxy/forward.ts", "const a = secret?.reveal();"],
  ["reveal", "src/proxy/forward.ts", 'const a = secret["reveal"]();'],
  ["reveal", "src/proxy/forward.ts", "const { reveal } = secret;"],
  ["clock", "src/ledger/a.ts", "const now = Date.now();"],
  ["clock", "src/ledger/a.ts", "const now = new Date();"],
  ["clock", "src/ledger/a.ts", "const now = +new Date;"],
  ["clock", "src/ledger/a.ts", "const now = performance.now();"],
  ["clock", "src/ledger/a.ts", "const now = process.hrtime.bigint();"],
  ["output", "src/server.ts", 'console.log("a");'],
  ["output", "src/server.ts", 'process.stdout.write("a");'],
  ["output", "src/cli/audit.ts", 'process.stderr.write("a");'],
  ["output", "src/cli/audit.ts", 'Bun.write(Bun.stdout, "a");'],
  ["pure", "src/core/a.ts", 'import { readFileSync } from "node:fs";'],
  ["pure", "src/core/a.ts", 'Bun.file("a");'],
  ["size", "src/core/a.ts", "a();\n".repeat(301)],
  ["size", "src/core/a.ts", `function a() {\n${longBody(69)}}\n`],
  ["size", "src/core/a.ts", `export async function a(\n  b: B,\n): Promise<{ c: C }> {\n${longBody(67)}}\n`],
  ["size", "src/core/a.ts", `export function a({\n  b,\n}: B): C {\n${longBody(67)}}\n`],
  ["size", "src/core/a.ts", `class A {\n  private async b(c: C): Promise<D> {\n${longBody(69)}  }\n}\n`],
  ["size", "src/core/a.ts", `const a = b.map((c) => {\n${longBody(69)}});\n`],
  ["size", "src/core/a.ts", `const a = async (\n  b: B,\n): Promise<C> => {\n${longBody(68)}};\n`],
  ["names", "src/core/moneyAmount.ts", ""],
  ["names", "src/core/Money.ts", ""],
  ["names", "src/utils/money.ts", ""],
  ["names", "test/helpers.ts", ""],
  ["names", "src/proxy/types.ts", ""],
  ["typing", "src/core/a.ts", "function a(b: any) {}"],
  ["typing", "src/core/a.ts", "const a = b as any;"],
  ["typing", "src/core/a.ts", "const a: Map<string, any> = b;"],
  ["typing", "test/core/a.test.ts", `// @${"ts-ignore"}`],
  ["finished", "src/core/a.ts", `// ${"TO"}DO: later`],
  ["finished", "scripts/a.ts", `/* ${"FIX"}ME */`],
  ["barrels", "src/core/a.ts", 'export * from "./b.ts";'],
  ["barrels", "src/core/index.ts", ""],
  ["money", "src/core/money.ts", "const a = parseFloat(text);"],
  ["money", "src/ledger/a.ts", "const a = Number(heldMicros) / 2;"],
  ["money", "src/vendors/a.ts", "const aMicros = BigInt(Math.round(price * 1e6));"],
  ["money", "src/vendors/a.ts", "interface A {\n  readonly costMicros: number;\n}"],
];

describe("each rule", () => {
  test.each(PLANTED)("%s is reported in %s: %j", (rule, path, text) => {
    expect(violations(readSource(path, text)).map((violation) => violation.rule)).toContain(rule);
  });

  test("names the line of what broke it", () => {
    const source = readSource("src/core/a.ts", 'const a = 1;\n\nimport "../cli/voice.ts";\n');
    expect(violations(source).map(describeViolation)).toEqual([
      'src/core/a.ts:3: "core" may not import "cli" [direction]',
    ]);
  });
});

/** What looks like a violation and is none. */
const INNOCENT: readonly (readonly [path: string, text: string])[] = [
  ["src/core/a.ts", "// import x from '../cli/voice.ts'; console.log(process.env.A)"],
  ["src/core/a.ts", 'const hint = "fetch(url) reads process.env at Date.now()";'],
  ["src/core/a.ts", "const hint = `console.log($" + "{1 + 1}) any: any`;"],
  ["src/core/a.ts", "const quote = /[\"'`/]console\\.log/; const b = 1;"],
  ["src/core/a.ts", "const half = total / 2; // console.log( /"],
  ["src/core/a.ts", "const at = new Date(now).toISOString();"],
  ["src/core/a.ts", "const first = await Promise.any(all);"],
  ["src/core/secret.ts", "class Secret {\n  reveal(): string {\n    return this.#value;\n  }\n}"],
  ["src/core/version.ts", 'import { version } from "../../package.json";'],
  ["src/policy/a.ts", 'import billing from "../../policies/billing.yaml" with { type: "text" };'],
  [
    "src/dashboard/a.ts",
    'import type { KeyView } from "../operate/control-plane.ts";\nimport { VERDICTS } from "../core/verdict.ts";',
  ],
  ["src/server.ts", "const answer = await app.fetch(request);"],
  ["src/server.ts", "Bun.serve({ fetch: handler });"],
  ["src/proxy/forward.ts", "const answer = await fetch(url);"],
  ["src/sandbox/listener.ts", 'import { createServer } from "node:http";'],
  ["src/proxy/swap.ts", "const value = secret.reveal();"],
  ["src/ledger/a.ts", "const leftMicros = capMicros - usedMicros;\nconst seconds = Number(text);"],
  ["src/core/a.ts", `function a() {\n${longBody(68)}}\n`],
  ["src/core/a.ts", `register({\n${"  a: 1,\n".repeat(100)}});\n`],
];

test.each(INNOCENT)("nothing is reported in %s: %j", (path, text) => {
  expect(violations(readSource(path, text)).map(describeViolation)).toEqual([]);
});

test("a function's length is counted from its header to its brace", () => {
  const source = readSource(
    "src/core/a.ts",
    "const a = 1;\nexport function b(\n  c: C,\n): D {\n  if (c) {\n    e();\n  }\n}\n",
  );
  expect(functionsOf(source)).toEqual([{ line: 2, lines: 7 }]);
});
