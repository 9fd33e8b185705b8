import { existsSync } from "node:fs";
import type { Command } from "commander";
import { readConfig } from "../config.ts";
import { Problem } from "../core/problem.ts";
import { openInstallation } from "../operate/installation.ts";
import { ownKeyPath, rekey } from "../operate/rekey.ts";
import { type Cli, globalFlags, withExamples } from "./cli.ts";
import { refuseRemote } from "./local.ts";
import { facts } from "./wording.ts";

interface RekeyFlags {
  readonly to?: string;
  readonly json?: true;
}

/** `keybrake rekey`: another master key. */
export function addRekeyCommand(program: Command, cli: Cli): void {
  const command = program
    .command("rekey")
    .description("make a new master key and wrap everything that is sealed under it; no secret changes")
    .option("--to <file>", "write the new key there, for a key that systemd or Docker hands over")
    .option("--json", "print a JSON object")
    .action((flags: RekeyFlags) => run(cli, command, flags));
  withExamples(command, ["keybrake rekey", "keybrake rekey --to /root/keybrake-master.key"]).addHelpText(
    "after",
    "\nEvery server on the store must be stopped. Cut off at any moment it leaves a store that opens: the next start says with\n" +
      "which key. The old key is kept beside the new one, because backups from before need it; delete it when those are gone.\n" +
      "Where several machines share a PostgreSQL store, each gets the new key file before its server starts again.",
  );
}

async function run(cli: Cli, command: Command, { to, json }: RekeyFlags): Promise<void> {
  const { voice } = cli;
  refuseRemote(cli, "the master key is a file of the server's own machine");
  const config = readConfig(globalFlags(command), cli.environment);
  if (!existsSync(config.dataDir)) {
    throw new Problem("not_found", `there is no data directory ${config.dataDir}`, "name the server's with --data");
  }
  const opened = await openInstallation(config, cli.clock, (text) => voice.note(text));
  const { store, clock, masterKey, dataDir } = opened;
  try {
    voice.note(`data directory ${dataDir}`);
    const done = await rekey({ store, clock, masterKey, keyPath: ownKeyPath(config, dataDir), to });
    const { oldKeyId, newKeyId, keyPath, oldKeyPath, vendorSecrets, answers } = done;
    if (json) {
      return voice.sayJson({
        old_key: oldKeyId,
        new_key: newKeyId,
        key_file: keyPath,
        old_key_file: oldKeyPath,
        vendor_secrets: vendorSecrets,
        answers,
      });
    }
    voice.say(
      facts([
        ["master key", `${newKeyId}, in ${keyPath}`],
        ["old key", oldKeyPath === null ? `${oldKeyId}, where it was` : `${oldKeyId}, kept at ${oldKeyPath}`],
        ["wrapped anew", `${vendorSecrets} vendor secrets, the key of the audit chain, ${answers} answers`],
      ]),
    );
    if (oldKeyPath === null)
      voice.note("hand the new key over before the next start: the old one opens nothing any more");
    else voice.note("backups from before open with the old key only; delete it when they are gone");
  } finally {
    await store.close();
  }
}
