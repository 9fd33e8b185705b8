/** Runs the checks of examples/: `./scripts/test-integrations [stack …]`. See docs/integrations/README.md. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { IntegrationCheck, IntegrationResult, Scenario } from "./check.ts";
import { EXAMPLES, RESULTS } from "./folders.ts";
import { endAllProcesses } from "./processes.ts";
import { makeTools, type Tools } from "./tools.ts";
import { makeWorld } from "./world.ts";

/** A line of the table at the end. */
type Row = readonly [stack: string, version: string, ran: string, result: string];

const SCENARIO_MS_MAX = 600_000;
const say = (text: string) => process.stdout.write(`${text}\n`);

const known = readdirSync(EXAMPLES)
  .filter((name) => existsSync(join(EXAMPLES, name, "check.ts")))
  .toSorted();
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  say(`error: there is no example ${unknown.join(", ")}\nhint: there are ${known.join(", ")}`);
  process.exit(2);
}
/** Ends the scenario under way, with its Keybrake, which would outlive this process. */
let endScenario = async (): Promise<void> => {};
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    endAllProcesses();
    endScenario().finally(() => process.exit(130));
  });
}
const rows: Row[] = [];
for (const page of asked.length > 0 ? asked : known) rows.push(await checkStack(page));
say(`\n${tableOf([["stack", "version", "what ran", "result"], ...rows])}`);
process.exit(rows.every(([, , , result]) => result.endsWith(" passed")) ? 0 : 1);

async function checkStack(page: string): Promise<Row> {
  const { check } = (await import(join(EXAMPLES, page, "check.ts"))) as { check: IntegrationCheck };
  const ran = check.ran === "runtime" ? "its runtime" : "plain HTTP";
  say(`==> ${check.stack}`);
  if (check.page !== page) return [check.stack, "-", ran, `FAILED: its page is "${check.page}", its folder "${page}"`];
  const tools = makeTools(page);
  let version: string;
  try {
    await check.install(tools);
    version = await check.version(tools);
  } catch (error) {
    say(`    ${told(error)}`);
    return [check.stack, "-", ran, "FAILED: not installed"];
  }
  say(`    ${check.stack} ${version} is installed`);
  const passed: string[] = [];
  for (const scenario of check.scenarios) if (await play(scenario, tools)) passed.push(scenario.title);
  const failed = check.scenarios.length - passed.length;
  if (failed > 0 || passed.length === 0)
    return [check.stack, version, ran, `${failed} FAILED, ${passed.length} passed`];
  keep(page, { ...resultOf(check), version, scenarios: passed });
  return [check.stack, version, ran, `${passed.length} passed`];
}

async function play({ title, run, timeoutMs = SCENARIO_MS_MAX }: Scenario, tools: Tools): Promise<boolean> {
  const began = performance.now();
  let timer: Timer | undefined;
  try {
    const { world, stop } = await makeWorld(tools);
    endScenario = stop;
    const late = new Promise<never>((_, fail) => {
      timer = setTimeout(() => fail(new Error(`not done after ${timeoutMs} ms`)), timeoutMs);
    });
    await Promise.race([run(world), late]).finally(stop);
    say(`    passed  ${title} (${Math.round((performance.now() - began) / 100) / 10} s)`);
    return true;
  } catch (error) {
    say(`    FAILED  ${title}\n            ${told(error).replaceAll("\n", "\n            ")}`);
    return false;
  } finally {
    clearTimeout(timer);
  }
}

function resultOf({ stack, ran, how }: IntegrationCheck): Pick<IntegrationResult, "stack" | "ran" | "how"> {
  return how === undefined ? { stack, ran } : { stack, ran, how };
}

function keep(page: string, result: Omit<IntegrationResult, "result" | "date">): void {
  const date = new Date().toISOString().slice(0, "2026-11-21".length);
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, `${page}.json`), `${JSON.stringify({ ...result, result: "passed", date }, null, 2)}\n`);
}

function tableOf(table: readonly Row[]): string {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function told(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
