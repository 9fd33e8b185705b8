import type { Command } from "commander";
import { readConfig } from "../config.ts";
import { formatUsd } from "../core/money.ts";
import { Problem } from "../core/problem.ts";
import type { CopyProgress } from "../store/copy/copy-pages.ts";
import type { CopyReport } from "../store/copy/copy-store.ts";
import { copyBetween } from "../store/copy/open-ends.ts";
import { storeFile } from "../store/open.ts";
import { openChainKey } from "../vault/chain-key.ts";
import { prepareDataDir } from "../vault/data-dir.ts";
import { loadMasterKey } from "../vault/master-key.ts";
import { type Cli, globalFlags, withExamples } from "./cli.ts";
import { refuseRemote } from "./local.ts";
import { Progress } from "./progress.ts";
import { counted, dollars } from "./wording.ts";

interface CopyFlags {
  readonly from?: string;
  readonly to?: string;
  readonly json?: true;
}

/** `keybrake store copy`: from one kind of store to the other. */
export function addStoreCommands(program: Command, cli: Cli): void {
  const store = program.command("store").description("move an installation between SQLite and PostgreSQL");
  const copy = store
    .command("copy")
    .description("copy everything into an empty store, prove the copy, and freeze the source")
    .option("--from <url>", "the store that is there: sqlite:/path/keybrake.db, or postgres://…")
    .option("--to <url>", "an empty one of the other kind, or what an earlier run has left")
    .option("--json", "print a JSON object")
    .action((flags: CopyFlags) => copyStores(cli, copy, flags));
  const example =
    "keybrake store copy --from sqlite:/var/lib/keybrake/keybrake.db --to postgres://keybrake@db.internal/kb";
  const hidden =
    "KEYBRAKE_STORE_FILE=/run/secrets/store-url keybrake store copy --from sqlite:/var/lib/keybrake/keybrake.db";
  withExamples(copy, [example, hidden, `${example} --json`]).addHelpText(
    "after",
    "\nThe one of --from and --to that is left out is the store of KEYBRAKE_STORE_FILE, KEYBRAKE_STORE or --store: everybody\n" +
      "on the machine can read a password on a command line.\n\nEvery server on either store must be stopped. A run that breaks off is run again; until it has come to its end nothing\n" +
      "opens the target. Then keys work there, and those of the source are frozen.",
  );
  withExamples(store, [example]);
}

async function copyStores(cli: Cli, command: Command, { from, to, json }: CopyFlags): Promise<void> {
  refuseRemote(cli, "stores are copied on a machine that reaches both");
  const { voice, clock } = cli;
  const config = readConfig(globalFlags(command), cli.environment);
  const dataDir = prepareDataDir(config.dataDir);
  const progress = new Shown(voice);
  if (from === undefined && to === undefined) {
    throw new Problem("usage", "neither --from nor --to is given", "give at least one of the two stores");
  }
  const report = await copyBetween({
    from: urlOf(from ?? config.storeUrl, "--from", dataDir),
    to: urlOf(to ?? config.storeUrl, "--to", dataDir),
    now: clock.now(),
    openChainKey: (sealed) => {
      const { masterKeyFile: keyFile, masterKeyCandidates: candidates } = config;
      return openChainKey(loadMasterKey({ dataDir, keyFile, candidates }), sealed);
    },
    onProgress: (at) => progress.show(at),
  }).finally(() => progress.end());
  if (json) return voice.sayJson(view(report));
  sayReport(cli, report);
}

/** With the file's path, where it is the one in the data directory. */
function urlOf(url: string, flag: string, dataDir: string): string {
  if (/^postgres(?:ql)?:/i.test(url)) return url;
  const file = storeFile(url, dataDir);
  if (file !== undefined) return `sqlite:${file}`;
  // Never with the text itself: it may hold a password.
  throw new Problem("usage", `${flag} names no store`, "write it as sqlite:/path/keybrake.db or postgres://…");
}

function sayReport({ voice }: Cli, { rows, tables, chain, resumedRows }: CopyReport): void {
  const resumed = resumedRows > 0 ? `, ${counted(resumedRows, "audit row")} of them by an earlier run` : "";
  voice.say(`copied ${counted(rows, "row")} of ${tables} tables${resumed}; every one is as in the source`);
  voice.say(
    `the chain is whole: ${counted(chain.count, "row")}, ${dollars(formatUsd(chain.costMicros))} in all, head ${hex(chain.head)}`,
  );
  voice.note(
    "keys work in the target from now on, and are frozen in the source; start the servers with KEYBRAKE_STORE",
  );
}

function view({ rows, tables, chain, resumedRows }: CopyReport) {
  return {
    tables,
    rows,
    resumed_audit_rows: resumedRows,
    chain: { count: chain.count, sum_usd: formatUsd(chain.costMicros), head: hex(chain.head) },
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** One line on the terminal for each step. */
class Shown {
  readonly #steps: Readonly<Record<CopyProgress["step"], Progress>>;

  constructor(voice: Cli["voice"]) {
    this.#steps = {
      copied: new Progress(voice, "rows copied"),
      compared: new Progress(voice, "rows compared"),
      verified: new Progress(voice, "rows of the chain verified"),
    };
  }

  show({ step, done, of }: CopyProgress): void {
    this.#steps[step].show(done, of);
  }

  end(): void {
    for (const progress of Object.values(this.#steps)) progress.end();
  }
}
