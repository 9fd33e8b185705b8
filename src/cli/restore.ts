import type { Command } from "commander";
import { Restore } from "../store/sqlite/restore.ts";
import { askYes } from "./ask.ts";
import { type Cli, globalFlags, withExamples } from "./cli.ts";
import { gapView, sayGap } from "./gap-text.ts";
import { locateStore } from "./local-store.ts";
import { addConfirm } from "./restore-confirm.ts";
import { counted } from "./wording.ts";

export interface YesFlags {
  readonly yes?: true;
  readonly json?: true;
}

/** `keybrake restore FILE` and `keybrake restore confirm`: back to a backup, and on from there. */
export function addRestoreCommand(program: Command, cli: Cli): void {
  const command = program
    .command("restore")
    .argument("<file>", "what `keybrake backup` has written; ./confirm where it has that name")
    .description("put a backup in place of the database; keys stay frozen until `keybrake restore confirm`")
    .option("--yes", "do not ask")
    .option("--json", "print a JSON object")
    .action((file: string, flags: YesFlags) => restore(cli, command, file, flags));
  withExamples(command, ["keybrake restore /var/backups/keybrake.db", "keybrake restore confirm"]).addHelpText(
    "after",
    "\nThe server must be stopped. The database that is there is kept under another name beside it. A restore takes back what\n" +
      "was spent, revoked and braked since the backup; it says what it can find out about that.",
  );
  addConfirm(command, cli);
}

async function restore(cli: Cli, command: Command, file: string, { yes, json }: YesFlags): Promise<void> {
  const { voice, clock } = cli;
  const { dataDir, file: target } = locateStore(cli, globalFlags(command), false);
  voice.note(`data directory ${dataDir}`);
  const prepared = Restore.prepare({ file, target, now: clock.now() });
  try {
    const { calls, keys, frozen, isAlone } = prepared;
    voice.note(`${file} is sound: ${counted(calls, "call")}, ${counted(keys, "key")}`);
    sayGap(voice, frozen, clock.now());
    if (!isAlone) voice.warn(`${target} cannot be read, nor whether a server has it open: make sure that none runs`);
    await askYes(cli, "Replace the database?", yes === true);
    const keptAt = prepared.commit();
    if (json) return voice.sayJson({ restored: target, kept_at: keptAt ?? null, calls, keys, frozen: gapView(frozen) });
    voice.say(`restored ${target}${keptAt === undefined ? "" : `; what was there is ${keptAt}`}`);
    voice.note("keys are frozen: every call is answered 503 until `keybrake restore confirm`");
    voice.note("the master key must be the one that the backup was made with; `keybrake doctor` checks that");
  } finally {
    prepared.close();
  }
}
