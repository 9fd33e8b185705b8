import { readFileSync, statSync } from "node:fs";
import { Problem } from "../core/problem.ts";
import { Secret } from "../core/secret.ts";
import type { Cli } from "./cli.ts";
import { looksLikeSecret } from "./secret-words.ts";

/** Where a secret is read from; stdin where neither is given. */
export interface SecretSource {
  readonly fromEnv?: string;
  readonly fromFile?: string;
}

/** More than any vendor's credential has; a wrong file is noticed before it is read. */
const SECRET_BYTES_MAX = 16 * 1024;

/**
 * Reads a secret without its surrounding white space (files and pipes end with a new line).
 * @throws Problem where there is none. No message repeats anything of what was read.
 */
export async function readSecret(source: SecretSource, what: string, cli: Cli): Promise<Secret> {
  const text = (await rawSecret(source, what, cli)).trim();
  if (text === "")
    throw new Problem("invalid", `the ${what} is empty`, "use --from-env VARIABLE, --from-file PATH or stdin");
  return new Secret(text);
}

async function rawSecret({ fromEnv, fromFile }: SecretSource, what: string, cli: Cli): Promise<string> {
  if (fromEnv !== undefined) return secretFromEnvironment(fromEnv, cli);
  if (fromFile !== undefined) return secretFromFile(fromFile);
  if (!cli.keyboard.isTerminal) return cli.keyboard.readAll(SECRET_BYTES_MAX);
  cli.voice.noteRaw(`${what} (what you type is not shown): `);
  try {
    return await cli.keyboard.readHidden();
  } finally {
    cli.voice.noteRaw("\n");
  }
}

function secretFromEnvironment(name: string, { environment }: Cli): string {
  const value = environment[name];
  if (value !== undefined) return value;
  // Somebody who gives the secret in place of the variable's name does not see it again.
  const shown = looksLikeSecret(name) ? "of that name" : name;
  throw new Problem(
    "invalid",
    `there is no environment variable ${shown}`,
    "--from-env takes the name of an exported variable, not the secret",
  );
}

function secretFromFile(path: string): string {
  const shown = looksLikeSecret(path) && !path.includes("/") ? "that file" : path;
  try {
    if (statSync(path).size > SECRET_BYTES_MAX) {
      throw new Problem(
        "invalid",
        `${shown} has more than ${SECRET_BYTES_MAX} bytes`,
        "name a file that holds the secret alone",
      );
    }
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? "unknown error";
    throw new Problem(
      "invalid",
      `cannot read ${shown} (${code})`,
      "--from-file takes the path of a file with the secret",
    );
  }
}
