import { existsSync, readFileSync } from "node:fs";
import { type Config, type ConfigFlags, configOf, configPath, type Environment, readConfig } from "../config.ts";
import { ConfigFile, readConfigFile } from "../config-file.ts";
import { nearestName } from "../core/nearest.ts";
import { Problem } from "../core/problem.ts";
import { readYaml } from "../core/yaml-data.ts";
import { storeFile } from "../store/open.ts";

/** A configuration that holds although its file is broken. */
export interface RescuedConfig {
  readonly config: Config;
  /** What is wrong with the file and therefore left out, each with file and line; none where it is sound. */
  readonly leftOut: readonly string[];
}

/** Where the state is. Left out, the command would work on another store than the server, and say that it has worked. */
const PLACES = ["store", "master_key_file"] as const;

/**
 * As `readConfig`, but for what must work at 2 a.m. although somebody has mistyped `keybrake.yaml`: each setting that is
 * sound counts, and what is not is left out. A file that may say where the state is, and cannot be read as saying it, is
 * still refused: an emergency stop that reaches another store than the server's would be worse than none.
 * @throws Problem as `readConfig`, also where there is no store yet that could be meant.
 */
export function rescueConfig(flags: ConfigFlags, environment: Environment): RescuedConfig {
  try {
    return { config: readConfig(flags, environment), leftOut: [] };
  } catch (cause) {
    const path = configPath(flags, environment);
    if (!(cause instanceof Problem) || !existsSync(path)) throw cause;
    const rescued = withoutBroken(path, flags, environment, cause);
    const file = storeFile(rescued.config.storeUrl, rescued.config.dataDir);
    if (rescued.leftOut.length === 0 || (file !== undefined && !existsSync(file))) throw cause;
    return rescued;
  }
}

function withoutBroken(path: string, flags: ConfigFlags, environment: Environment, first: Problem): RescuedConfig {
  const source = readFileSync(path, "utf8");
  const settingsOf = (values: Readonly<Record<string, unknown>>) =>
    configOf(new ConfigFile(path, "", values, source), flags, environment);
  const all = valuesOf(path);
  if (all === undefined) {
    if (/^[^#\n]*\b(?:store|master_key_file)\b["']?\s*:/m.test(source)) throw unplaced(first);
    return { config: settingsOf({}), leftOut: [first.message] };
  }
  const { positionOf } = readYaml(source);
  let config = settingsOf({});
  let sound: Readonly<Record<string, unknown>> = {};
  const leftOut: string[] = [];
  // Prices may be of a vendor that the file declares.
  const names = Object.keys(all).sort((a, b) => Number(b === "vendors") - Number(a === "vendors"));
  for (const name of names) {
    const more = { ...sound, [name]: all[name] };
    try {
      config = settingsOf(more);
      sound = more;
    } catch (cause) {
      if (!(cause instanceof Problem) || nearestName(name, PLACES) !== undefined) throw cause;
      leftOut.push(placed(path, positionOf([name], "key").line, cause.message));
    }
  }
  return { config, leftOut };
}

/** The settings at the top of the file; undefined where it is no YAML, or none that has settings. */
function valuesOf(path: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return readConfigFile(path).values;
  } catch (cause) {
    if (cause instanceof Problem) return undefined;
    throw cause;
  }
}

function unplaced({ message }: Problem): Problem {
  return new Problem(
    "invalid",
    `${message}; it also says where the store or the master key is, and that cannot be read`,
    "mend the file; or set KEYBRAKE_CONFIG=/dev/null, and KEYBRAKE_STORE and KEYBRAKE_MASTER_KEY_FILE as it has them",
  );
}

/** `message` with the line in front, where it does not say a closer one. */
function placed(path: string, line: number, message: string): string {
  if (message.startsWith(`${path}:`) && /^\d/.test(message.slice(path.length + 1))) return message;
  return `${path}:${line}: ${message.startsWith(`${path}: `) ? message.slice(path.length + 2) : message}`;
}
