import { type Command, Option } from "commander";
import { formatUsd, parseUsd } from "../core/money.ts";
import { Problem } from "../core/problem.ts";
import type { EpochMs } from "../core/window.ts";
import { AUDIT_ROWS_PER_PAGE_MAX } from "../operate/audit.ts";
import {
  type AuditPageView,
  type AuditRowView,
  type ControlPlane,
  LOCAL_ADMIN,
  type VendorView,
} from "../operate/control-plane.ts";
import type { ResolveCallRequest, ResolvedCallView } from "../operate/resolution.ts";
import { lookUpAdvice } from "../operate/vendor-trace.ts";
import type { AuditFilter } from "../store/store.ts";
import { readTime } from "./audit-filter-flags.ts";
import { type Cli, withExamples } from "./cli.ts";
import { withControl } from "./local.ts";
import { given } from "./policy-flags.ts";
import { resolvedText, type UnresolvedCall, unresolvedCall, unresolvedColumns } from "./resolve-text.ts";
import { counted, dollars } from "./wording.ts";

interface ResolveFlags {
  readonly settled?: string;
  readonly released?: true;
  readonly reason?: string;
  readonly list?: true;
  readonly run?: string;
  readonly vendor?: string;
  readonly allOlderThan?: string;
  readonly yes?: true;
  readonly json?: true;
}

/** `keybrake resolve`: calls of which nobody knows what became of them, and what an operator has found out. */
export function addResolveCommand(program: Command, cli: Cli): void {
  const command = program
    .command("resolve")
    .description("list the unresolved calls; with an id, say what became of one, and correct its caps")
    .argument("[ids...]", "the calls' ids (X-Keybrake-Request-Id), each or as much of it as is its alone")
    .addOption(new Option("--settled <usd>", "it did cost this much, such as 29.99").conflicts("released"))
    .option("--released", "nothing was spent")
    .option("--reason <text>", "how you know, for the audit")
    .addOption(new Option("--list", "list the unresolved calls").conflicts(["settled", "released", "allOlderThan"]))
    .option("--run <label>", "of those listed, or all older ones: only calls of this run")
    .option("--vendor <name>", "of those listed, or all older ones: only calls to this vendor")
    .option("--all-older-than <time>", "in place of ids, with --released and --yes: every call made before, like 24h")
    .option("--yes", "with --all-older-than: do it, and not only show what it would be done to")
    .option("--json", "print JSON: an array of the calls, or an object for one that is resolved")
    .action(async (ids: readonly string[], flags: ResolveFlags) => {
      const task = readTask(ids, flags, cli.clock.now());
      await withControl(cli, command, async (control) => {
        const vendors = task.what === "each" ? [] : await control.listVendors();
        const find = (filter: AuditFilter) => unresolvedCalls(control, filter, vendors);
        if (task.what === "list") return list(await find(task.filter), vendors, flags, cli);
        if (task.what === "all") return resolveAll(control, await find(task.filter), task.request, flags, cli);
        return resolveEach(control, ids, task.request, flags, cli);
      });
    });
  withExamples(command, [
    "keybrake resolve",
    "keybrake resolve call_01j… --settled 29.99 --reason 'pi_3Q… in the Dashboard'",
    "keybrake resolve call_01j… call_01k… --released",
    "keybrake resolve --all-older-than 24h --run ray-billing/01 --released",
  ]);
}

type Task =
  | { readonly what: "list"; readonly filter: AuditFilter }
  | { readonly what: "each"; readonly request: ResolveCallRequest }
  | { readonly what: "all"; readonly filter: AuditFilter; readonly request: ResolveCallRequest };

function readTask(ids: readonly string[], flags: ResolveFlags, now: EpochMs): Task {
  const { settled, released, reason, run, vendor, allOlderThan } = flags;
  const narrowed: AuditFilter = { state: "unresolved", ...given("run", run), ...given("vendor", vendor) };
  const request = { ...given("settled_usd", settled), ...given("released", released), ...given("reason", reason) };
  const says = settled !== undefined || released === true;
  if (allOlderThan !== undefined) {
    if (ids.length > 0) throw usage("ids and --all-older-than are both given", "give the one or the other");
    if (!released)
      throw usage("--all-older-than resolves by --released only", "what a call did cost is said by its id");
    const until = readTime("--all-older-than", allOlderThan, now);
    return { what: "all", filter: { ...narrowed, until }, request };
  }
  if (flags.yes) throw usage("--yes belongs to --all-older-than", "leave it out: calls that are named need none");
  if (ids.length === 0) {
    if (says) throw usage("there is nothing that says which call", "name its id; `keybrake resolve` lists them");
    return { what: "list", filter: narrowed };
  }
  if (flags.list) throw usage("--list takes no ids", "leave out the one or the other");
  if (run !== undefined || vendor !== undefined) {
    throw usage("--run and --vendor do not go with ids", "they narrow the list, and --all-older-than");
  }
  if (!says) throw usage("there is nothing that says what became of the call", "give --settled AMOUNT or --released");
  if (settled !== undefined && ids.length > 1) {
    throw usage(`--settled is for one call, and ${ids.length} are named`, "settle them one by one");
  }
  if (settled !== undefined) checkAmount(settled);
  return { what: "each", request };
}

function checkAmount(text: string): void {
  try {
    parseUsd(text);
  } catch (cause) {
    throw usage(`--settled: ${(cause as RangeError).message}`, "a refund is its absolute amount");
  }
}

function usage(message: string, hint: string): Problem {
  return new Problem("usage", message, hint);
}

function list(calls: readonly UnresolvedCall[], known: readonly VendorView[], { json }: ResolveFlags, cli: Cli): void {
  if (json) {
    cli.voice.sayJson(calls);
    return;
  }
  sayCalls(calls, cli);
  if (calls.length === 0) return;
  const vendors = known.filter(({ name }) => calls.some((call) => call["vendor"] === name));
  for (const sentence of vendors.flatMap(lookUpAdvice)) cli.voice.note(sentence);
  cli.voice.note("then: `keybrake resolve CALL --settled AMOUNT`, or `--released` where nothing came of it");
}

function sayCalls(calls: readonly UnresolvedCall[], { voice, clock }: Cli): void {
  voice.sayTable(unresolvedColumns(clock.now()), calls, "no call is unresolved");
  if (calls.length > 0)
    voice.say(`${counted(calls.length, "call")}, ${dollars(heldUsd(calls))} held for what they may have cost`);
}

function heldUsd(calls: readonly AuditRowView[]): string {
  return formatUsd(calls.reduce((sum, call) => sum + parseUsd(String(call["exposure_usd"])), 0n));
}

/** All that the filter selects, oldest first. */
async function unresolvedCalls(
  control: ControlPlane,
  filter: AuditFilter,
  vendors: readonly VendorView[],
): Promise<readonly UnresolvedCall[]> {
  const pages: AuditRowView[][] = [];
  let before: string | null = null;
  do {
    const request = { limit: AUDIT_ROWS_PER_PAGE_MAX, ...given("before", before ?? undefined) };
    const page: AuditPageView = await control.queryAudit(filter, request);
    pages.unshift([...page.rows]);
    before = page.older_cursor;
  } while (before !== null);
  return pages.flat().map((row) => unresolvedCall(row, vendors));
}

/** Releasing what nobody has looked at frees money that may be spent: it is shown first, and done only on demand. */
async function resolveAll(
  control: ControlPlane,
  calls: readonly UnresolvedCall[],
  request: ResolveCallRequest,
  flags: ResolveFlags,
  cli: Cli,
): Promise<void> {
  if (calls.length > 0 && !flags.yes) {
    if (!flags.json) sayCalls(calls, cli);
    throw new Problem(
      "conflict",
      `this would free ${dollars(heldUsd(calls))} of ${counted(calls.length, "call")} that may have been spent; nothing is done yet`,
      "add --yes where you know that none of them went through",
    );
  }
  if (calls.length === 0 && !flags.json) return cli.voice.say("no call that old is unresolved; nothing is done");
  await resolveSeveral(
    control,
    calls.map(({ id }) => id),
    request,
    flags,
    cli,
  );
}

async function resolveEach(
  control: ControlPlane,
  ids: readonly string[],
  request: ResolveCallRequest,
  flags: ResolveFlags,
  cli: Cli,
): Promise<void> {
  const [first, ...others] = ids;
  if (others.length > 0) return resolveSeveral(control, ids, request, flags, cli);
  const view = await control.resolveCall(first!, request, LOCAL_ADMIN);
  if (flags.json) cli.voice.sayJson(view);
  else cli.voice.say(resolvedText(view, cli.clock.now()));
  for (const warning of view.warnings) cli.voice.warn(warning);
}

/** One that cannot be resolved does not keep the others from it; each is said. */
async function resolveSeveral(
  control: ControlPlane,
  ids: readonly string[],
  request: ResolveCallRequest,
  { json }: ResolveFlags,
  cli: Cli,
): Promise<void> {
  const done: ResolvedCallView[] = [];
  for (const id of ids) {
    try {
      const view = await control.resolveCall(id, request, LOCAL_ADMIN);
      done.push(view);
      if (!json) cli.voice.say(resolvedText(view, cli.clock.now()));
      for (const warning of view.warnings) cli.voice.warn(warning);
    } catch (thrown) {
      if (!(thrown instanceof Problem) || thrown.code === "unavailable") throw thrown;
      cli.voice.fail(thrown);
      cli.exitCode = 1;
    }
  }
  if (json) cli.voice.sayJson(done);
}
