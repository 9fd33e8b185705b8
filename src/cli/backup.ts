import { statSync } from "node:fs";
import type { Command } from "commander";
import type { BackupReport } from "../store/backup-report.ts";
import { type Cli, globalFlags, withExamples } from "./cli.ts";
import { locateStore, withStore } from "./local-store.ts";
import type { Voice } from "./voice.ts";
import { counted, facts, grouped } from "./wording.ts";

interface BackupFlags {
  readonly force?: true;
  readonly json?: true;
}

/** Longer than a moment from here on: then the terminal says what is going on. */
const SLOW_BYTES = 100 * 1024 * 1024;

/** `keybrake backup FILE`: a copy of the database while the server runs. */
export function addBackupCommand(program: Command, cli: Cli): void {
  const command = program
    .command("backup")
    .argument("<file>", "where the copy goes (0600)")
    .description("copy the database into a file while the server runs, and check the copy")
    .option("--force", "replace a file that is there")
    .option("--json", "print a JSON object")
    .action(async (file: string, { force, json }: BackupFlags) => {
      const { file: database } = locateStore(cli, globalFlags(command), true);
      const report = await withStore(cli, globalFlags(command), (store) => {
        announce(cli, database);
        return store.backup(file, cli.clock.now(), force === true);
      });
      if (report.counterMismatches) warnOfMismatches(cli.voice, report.counterMismatches);
      if (json) return cli.voice.sayJson(view(report));
      cli.voice.say(text(report));
    });
  withExamples(command, [
    "keybrake backup /var/backups/keybrake.db",
    "keybrake backup --force nightly.db --json",
  ]).addHelpText(
    "after",
    "\nThe master key is not in the copy: keep it apart, since either is of no use to a thief without the other. In whatever way\n" +
      "the copy is put back, its keys stay frozen until `keybrake restore confirm`.",
  );
}

function announce({ voice }: Cli, file: string): void {
  const sizeBytes = statSync(file).size;
  if (voice.width === undefined || sizeBytes < SLOW_BYTES) return;
  voice.note(`copying and checking ${megabytes(sizeBytes)}; the server goes on meanwhile`);
}

function warnOfMismatches(voice: Voice, count: number): void {
  voice.warn(
    `${counted(count, "counter")} in it ${count === 1 ? "is" : "are"} not the sum of the calls; keybrake doctor`,
  );
}

function text(report: BackupReport): string {
  const { path, sizeBytes, calls, keys, counterMismatches } = report;
  const checks =
    counterMismatches === undefined ? "pages, indexes and migrations" : "pages, indexes, migrations and counters";
  return facts([
    ["backup", path],
    ["size", megabytes(sizeBytes)],
    ["holds", `${counted(calls, "call")}, ${counted(keys, "key")}`],
    ["checked", checks],
    ["not in it", `${NOT_IN_IT.join(", ")}: keep ${NOT_IN_IT.length > 1 ? "them" : "it"} apart from this file`],
  ]);
}

/** Beside the database in the data directory. */
const NOT_IN_IT = ["the master key file", "keybrake.yaml", "policies/"];

function megabytes(bytes: number): string {
  return bytes < 1024 * 1024
    ? `${grouped(Math.ceil(bytes / 1024))} KB`
    : `${grouped(Math.round(bytes / (1024 * 1024)))} MB`;
}

function view({ path, takenAt, sizeBytes, calls, keys, lastSeq, counterMismatches }: BackupReport) {
  return {
    path,
    taken_at: new Date(takenAt).toISOString(),
    size_bytes: sizeBytes,
    calls,
    keys,
    last_seq: lastSeq,
    counter_mismatches: counterMismatches ?? null,
    not_in_it: NOT_IN_IT,
  };
}
