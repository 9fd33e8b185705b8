import type { Command } from "commander";
import { readConfig } from "../config.ts";
import { openStore } from "../store/open.ts";
import { prepareDataDir } from "../vault/data-dir.ts";
import { type Cli, globalFlags, withExamples } from "./cli.ts";

/** `keybrake migrate`: the store of an earlier release is brought up to date, when its operator says so. */
export function addMigrateCommand(program: Command, cli: Cli): void {
  const command = program
    .command("migrate")
    .description("bring the store's schema up to date; a shared PostgreSQL is migrated by nothing else")
    .option("--json", "print JSON");
  command.action(async ({ json }: { readonly json?: boolean }) => {
    const config = readConfig(globalFlags(command), cli.environment);
    const { store } = await openStore(config.storeUrl, prepareDataDir(config.dataDir), cli.clock, { migrates: true });
    try {
      const { schema_version } = await store.describe();
      if (json) cli.voice.sayJson({ store: store.kind, schema_version });
      else cli.voice.say(`the ${store.kind} store has schema ${schema_version}, which is this release's`);
    } finally {
      await store.close();
    }
  });
  withExamples(command, ["keybrake migrate", "keybrake migrate --store postgres://keybrake@db.internal/keybrake"]);
}
