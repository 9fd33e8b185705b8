import { type ChildProcess, spawn } from "node:child_process";
import type { Command } from "commander";
import type { Environment } from "../config.ts";
import { type ControlPlane, type IssuedKeyView, LOCAL_ADMIN } from "../operate/control-plane.ts";
import { type Cli, withExamples } from "./cli.ts";
import { spentText } from "./key-text.ts";
import { withControl } from "./local.ts";
import { addIssueFlags, type FlagValues, readIssueFlags } from "./policy-flags.ts";
import { type EndSignal, SIGNAL_NUMBERS } from "./signals.ts";
import { counted } from "./wording.ts";

/** Exit codes of POSIX shells for a command that is not there, and for one that cannot be run. */
const EXIT_NOT_FOUND = 127;
const EXIT_NOT_RUNNABLE = 126;

/** With these the command could issue itself another key, or read the vendors' secrets. */
const WITHHELD = ["KEYBRAKE_API_KEY", "KEYBRAKE_URL", "KEYBRAKE_MASTER_KEY_FILE", "CREDENTIALS_DIRECTORY"];

/** The base URL of a key for one vendor; with `_STRIPE` and the like behind it that of each vendor. */
const BASE_URL = "KEYBRAKE_BASE_URL";

/** `keybrake run … -- CMD`: a key that lives as long as the command. */
export function addRunCommand(program: Command, cli: Cli): void {
  const command = program
    .command("run")
    .description("run a command with a vault key of its own, which is revoked when the command ends")
    .argument("<command...>", "the command and its arguments, after --")
    .usage("[options] -- <command...>");
  addIssueFlags(command).action(async (words: readonly string[], flags: FlagValues) => {
    const request = readIssueFlags(flags);
    cli.exitCode = await withControl(cli, command, async (control) => {
      // From before the key exists: a signal in between would leave a key that nobody revokes.
      const relay = new SignalRelay(cli);
      try {
        const issued = await control.issueKey(request, LOCAL_ADMIN);
        try {
          return await runWith(issued, words, cli, relay);
        } finally {
          await endKey(control, issued, cli);
        }
      } finally {
        relay.stop();
      }
    });
  });
  withExamples(command, [
    "keybrake run --template billing --label nightly/42 -- python charge.py",
    "keybrake run --template email --expires-in 10m -- node send.js --all",
  ]).addHelpText(
    "after",
    "\nThe command gets the key and the base URL in the variables that the vendors' SDKs read, and in KEYBRAKE_VAULT_KEY,\n" +
      "KEYBRAKE_BASE_URL (of a key for one vendor), KEYBRAKE_BASE_URL_STRIPE and the like, KEYBRAKE_KEY_ID and\n" +
      "KEYBRAKE_RUN_LABEL. Its exit code is passed on: 127 where it is not found, 126\n" +
      "where it cannot be run, 128 + n where signal n ended it. `keybrake serve` must be running for its calls to succeed.",
  );
}

/** What the command reads: everything of ours that opens more than its own key is taken away. */
export function commandEnvironment(environment: Environment, issued: IssuedKeyView): Environment {
  const kept = Object.entries(environment).filter(([name]) => !WITHHELD.includes(name) && !name.startsWith(BASE_URL));
  const ofVendors = Object.entries(issued.base_urls).map(([vendor, url]) => [`${BASE_URL}_${shouted(vendor)}`, url]);
  return {
    ...Object.fromEntries(kept),
    ...issued.environment,
    KEYBRAKE_VAULT_KEY: issued.vault_key,
    ...(issued.base_url === null ? {} : { [BASE_URL]: issued.base_url }),
    ...Object.fromEntries(ofVendors),
    KEYBRAKE_KEY_ID: issued.id,
    ...(issued.agent_run_label === null ? {} : { KEYBRAKE_RUN_LABEL: issued.agent_run_label }),
  };
}

/** `acme-mail` → `ACME_MAIL` */
function shouted(vendor: string): string {
  return vendor.toUpperCase().replaceAll("-", "_");
}

/** Passes the signals that reach us on to the command. */
class SignalRelay {
  /** The first signal that came. */
  received: EndSignal | undefined;
  child: ChildProcess | undefined;
  readonly stop: () => void;

  constructor({ signals, keyboard }: Cli) {
    this.stop = signals.listen((signal) => {
      this.received ??= signal;
      // Ctrl-C on a terminal goes to the whole foreground group: the command has it already.
      if (signal !== "SIGINT" || !keyboard.isTerminal) this.child?.kill(signal);
    });
  }
}

/** Runs the command and resolves to its exit code. */
async function runWith(issued: IssuedKeyView, words: readonly string[], cli: Cli, relay: SignalRelay): Promise<number> {
  if (relay.received) return exitCodeOf(relay.received);
  const [file = "", ...rest] = words;
  cli.voice.note(`key ${issued.id} is issued for ${words.length === 1 ? file : `${file} …`}`);
  const child = spawn(file, rest, { stdio: "inherit", env: { ...commandEnvironment(cli.environment, issued) } });
  relay.child = child;
  return new Promise((resolve) => {
    child.once("error", (cause: NodeJS.ErrnoException) => {
      cli.voice.error(`cannot run ${file}: ${cause.code ?? cause.message}`, "check the command after --, and the PATH");
      resolve(cause.code === "ENOENT" ? EXIT_NOT_FOUND : EXIT_NOT_RUNNABLE);
    });
    child.once("exit", (code, signal) => resolve(code ?? exitCodeOf(signal)));
  });
}

function exitCodeOf(signal: NodeJS.Signals | null): number {
  return 128 + (SIGNAL_NUMBERS[signal ?? ""] ?? 0);
}

async function endKey(control: ControlPlane, { id }: IssuedKeyView, { voice }: Cli): Promise<void> {
  await control.revokeKeys({ ids: [id], reason: "its command has ended" }, LOCAL_ADMIN);
  const { spend } = await control.showKey(id, LOCAL_ADMIN);
  voice.note(`the run has ended and key ${id} is revoked: ${counted(spend.calls, "call")}, ${spentText(spend)}`);
}
