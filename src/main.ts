#!/usr/bin/env bun
import type { Command } from "commander";
import { addAlertCommands } from "./cli/alert.ts";
import { addAuditCommand } from "./cli/audit.ts";
import { addBackupCommand } from "./cli/backup.ts";
import { addBlowoutCommand } from "./cli/blowout.ts";
import { addBrakeCommands } from "./cli/brake.ts";
import { addBudgetCommands } from "./cli/budget.ts";
import { type Cli, withExamples } from "./cli/cli.ts";
import { addCompletionCommand } from "./cli/completion.ts";
import { addDemoCommand } from "./cli/demo.ts";
import { addDoctorCommand } from "./cli/doctor.ts";
import { addKeyCommands } from "./cli/key.ts";
import { addMigrateCommand } from "./cli/migrate.ts";
import { addPolicyCommands } from "./cli/policy.ts";
import { processCli } from "./cli/process-cli.ts";
import { addRekeyCommand } from "./cli/rekey.ts";
import { addResolveCommand } from "./cli/resolve.ts";
import { addRestoreCommand } from "./cli/restore.ts";
import { addRunCommand } from "./cli/run.ts";
import { addRunGuardCommand } from "./cli/run-guard.ts";
import { emptyProgram, runProgram } from "./cli/run-program.ts";
import { addServeCommand } from "./cli/serve.ts";
import { addSpendCommand } from "./cli/spend.ts";
import { addStoreCommands } from "./cli/store.ts";
import { addStripeScopesCommand } from "./cli/stripe-scopes.ts";
import { addTokenCommands } from "./cli/token.ts";
import { addVendorCommands } from "./cli/vendor.ts";

/** The whole command line, in the order of its help. */
export function createProgram(cli: Cli): Command {
  const program = emptyProgram(cli);
  addServeCommand(program, cli);
  addDemoCommand(program, cli);
  addVendorCommands(program, cli);
  addKeyCommands(program, cli);
  addRunCommand(program, cli);
  addRunGuardCommand(program, cli);
  addAuditCommand(program, cli);
  addSpendCommand(program, cli);
  addResolveCommand(program, cli);
  addPolicyCommands(program, cli);
  addStripeScopesCommand(program, cli);
  addBlowoutCommand(program, cli);
  addBudgetCommands(program, cli);
  addBrakeCommands(program, cli);
  addAlertCommands(program, cli);
  addTokenCommands(program, cli);
  addBackupCommand(program, cli);
  addRestoreCommand(program, cli);
  addRekeyCommand(program, cli);
  addMigrateCommand(program, cli);
  addStoreCommands(program, cli);
  addDoctorCommand(program, cli);
  addCompletionCommand(program, cli);
  return withExamples(program, [
    "keybrake demo",
    "keybrake serve",
    "keybrake key issue --template billing --label my-first-run",
  ]);
}

if (import.meta.main) {
  const cli = processCli();
  process.exitCode = await runProgram(createProgram(cli), process.argv.slice(2), cli);
}
