import { type Command, Option } from "commander";
import { type ControlPlane, type IssuedKeyView, LOCAL_ADMIN } from "../operate/control-plane.ts";
import { type Cli, globalFlags, withExamples } from "./cli.ts";
import type { Guard } from "./guard.ts";
import { withControl } from "./local.ts";
import { addIssueFlags, type FlagValues, readIssueFlags } from "./policy-flags.ts";
import { commandEnvironment, exitCodeOf, runCommand, SignalRelay } from "./run-child.ts";
import { endRun, type Telling } from "./run-end.ts";

/** `keybrake run … -- CMD`: a key that lives as long as the command. */
export function addRunCommand(program: Command, cli: Cli): void {
  const command = program
    .command("run")
    .description("run a command with a vault key of its own, which is revoked when the command ends")
    .argument("<command...>", "the command and its arguments, after --")
    .usage("[options] -- <command...>");
  addIssueFlags(command)
    .option("--json", "say on stderr what was spent, as one JSON object and nothing else")
    .addOption(new Option("--quiet", "say nothing but what goes wrong").conflicts("json"))
    .action(async (words: readonly string[], flags: FlagValues & { json?: true; quiet?: true }) => {
      const request = readIssueFlags(flags);
      const telling: Telling = flags.json ? "json" : flags.quiet ? "nothing" : "sentences";
      const issue = (control: ControlPlane) => control.issueKey(request, LOCAL_ADMIN);
      cli.exitCode = await withControl(
        cli,
        command,
        (control) => live(control, { command, issue, words, telling }, cli),
        {
          quiet: telling !== "sentences",
        },
      );
    });
  withExamples(command, [
    "keybrake run --template billing --label nightly/42 -- python charge.py",
    "keybrake run --template email --expires-in 10m -- node send.js --all",
  ]).addHelpText("after", AFTER);
}

const AFTER = `
The command gets the key and the base URL in the variables that the vendor's SDKs read, and in KEYBRAKE_VAULT_KEY,
KEYBRAKE_BASE_URL (_VENDOR behind it where the key is for several), KEYBRAKE_KEY_ID and KEYBRAKE_RUN_LABEL; other KEYBRAKE_
variables are kept from it. Signals are passed on, and its exit code: 127 where it is not found, 126 where it cannot be run,
128 + n where signal n ended it. The key is revoked also where \`keybrake run\` itself is killed. \`keybrake serve\` must be
running for its calls to succeed.`;

interface Run {
  readonly command: Command;
  readonly issue: (control: ControlPlane) => Promise<IssuedKeyView>;
  readonly words: readonly string[];
  readonly telling: Telling;
}

/** From the first signal that could come to the last try to revoke the key. */
async function live(control: ControlPlane, run: Run, cli: Cli): Promise<number> {
  // Both before the key exists: what comes in between would leave a key that nobody revokes.
  const relay = new SignalRelay(cli);
  const guard = cli.startGuard(placeFlags(run.command));
  let isRevoked = true;
  try {
    const issued = await run.issue(control);
    isRevoked = false;
    guard.watch(issued.id, Date.parse(issued.expires_at));
    const exitCode = await runWith(issued, run, cli, relay);
    isRevoked = await endRun(control, { issued, exitCode, telling: run.telling }, relay, cli);
    return exitCode;
  } finally {
    release(guard, isRevoked);
    relay.stop();
  }
}

function release(guard: Guard, isRevoked: boolean): void {
  if (isRevoked) guard.dismiss();
  else guard.leave();
}

async function runWith(issued: IssuedKeyView, { words, telling }: Run, cli: Cli, relay: SignalRelay): Promise<number> {
  if (relay.received) return exitCodeOf(relay.received);
  if (telling === "sentences") {
    for (const warning of issued.warnings) cli.voice.warn(warning);
    cli.voice.note(`key ${issued.id} is issued for ${words.length === 1 ? words[0] : `${words[0]} …`}`);
  }
  return runCommand(words, commandEnvironment(cli.environment, issued), cli, relay);
}

/** The flags of this command line that say where the key is. */
function placeFlags(command: Command): readonly string[] {
  return Object.entries(globalFlags(command)).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, value],
  );
}
