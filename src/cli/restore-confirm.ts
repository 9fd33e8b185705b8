import type { Command } from "commander";
import { acceptRestored } from "../operate/accept-restored.ts";
import { askYes } from "./ask.ts";
import { type Cli, globalFlags, withExamples } from "./cli.ts";
import { gapView, sayGap } from "./gap-text.ts";
import { withStore } from "./local-store.ts";

/** `keybrake restore confirm`: an operator has looked at the gap, and keys may spend again. */
export function addConfirm(restore: Command, cli: Cli): void {
  const command = restore
    .command("confirm")
    .description("after a restore: say what is not known, and let keys spend again")
    .option("--yes", "do not ask")
    .option("--json", "print a JSON object")
    .action(() => confirm(cli, command));
  withExamples(command, ["keybrake restore confirm", "keybrake restore confirm --yes"]);
}

function confirm(cli: Cli, command: Command): Promise<void> {
  // `restore` itself has both flags, and takes them wherever they stand.
  const { yes, json } = command.optsWithGlobals<{ yes?: true; json?: true }>();
  const { voice, clock } = cli;
  return withStore(cli, globalFlags(command), async (store, { config, dataDir }) => {
    const frozen = await store.frozenSince();
    if (!frozen) {
      if (json) return voice.sayJson({ thawed: false });
      return voice.note("keys are not frozen; there is nothing to confirm");
    }
    sayGap(voice, frozen, clock.now());
    await askYes(cli, "Let keys spend again?", yes === true);
    await acceptRestored(store, config, dataDir, clock.now());
    await store.thaw();
    if (json) return voice.sayJson({ thawed: true, frozen: gapView(frozen) });
    voice.say("keys work again, from their next call on");
  });
}
