import { existsSync, readFileSync } from "node:fs";
import { parse as parseYaml } from "yaml";
import { type Micros, parseUsd } from "./core/money.ts";
import { Problem } from "./core/problem.ts";
import { parseDuration } from "./core/window.ts";

/** Reads `keybrake.yaml`; one that is missing has no settings. */
export function readConfigFile(path: string): ConfigFile {
  if (!existsSync(path)) return new ConfigFile(path, "", {}, "");
  const source = readFileSync(path, "utf8");
  let document: unknown;
  try {
    document = parseYaml(source, { strict: true, uniqueKeys: true, maxAliasCount: 0 }) ?? {};
  } catch (cause) {
    throw new Problem(
      "invalid",
      `${path} is not valid YAML: ${(cause as Error).message.split("\n")[0]!.replace(/:$/, "")}`,
      "mend the file",
    );
  }
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw new Problem("invalid", `${path} must be a list of settings like "listen: 127.0.0.1:7878"`, "mend the file");
  }
  return new ConfigFile(path, "", document as Record<string, unknown>, source);
}

/**
 * One mapping of `keybrake.yaml`; remembers what was asked for, so that a misspelt key is found.
 * Every getter throws `Problem` with file, key, what is allowed and what was given.
 */
export class ConfigFile {
  readonly #asked = new Set<string>();

  constructor(
    readonly path: string,
    readonly prefix: string,
    readonly values: Readonly<Record<string, unknown>>,
    /** The text of the whole file. */
    readonly source: string,
  ) {}

  has(key: string): boolean {
    return this.#value(key) !== undefined;
  }

  names(): string[] {
    return Object.keys(this.values);
  }

  fail(key: string, allowed: string): never {
    const got = JSON.stringify(this.values[key]);
    throw new Problem(
      "invalid",
      `${this.path}: ${this.prefix}${key} is ${got}; it must be ${allowed}`,
      "mend the file",
    );
  }

  text(key: string): string | undefined {
    const value = this.#value(key);
    if (value === undefined || typeof value === "string") return value;
    return this.fail(key, "text");
  }

  flag(key: string): boolean | undefined {
    const value = this.#value(key);
    if (value === undefined || typeof value === "boolean") return value;
    return this.fail(key, "true or false");
  }

  count(key: string): number | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    return Number.isSafeInteger(value) && (value as number) > 0
      ? (value as number)
      : this.fail(key, "a whole number above 0");
  }

  /** A part of the whole, from 0 to 1. */
  ratio(key: string): number | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    return typeof value === "number" && value >= 0 && value <= 1 ? value : this.fail(key, "a number from 0 to 1");
  }

  duration(key: string): number | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    try {
      return parseDuration(value as string | number);
    } catch {
      return this.fail(key, "a duration like 30s, 2h or 7d");
    }
  }

  usd(key: string): Micros {
    try {
      return parseUsd(this.#value(key) as string | number);
    } catch {
      return this.fail(key, "dollars like 1.10, up to six decimals");
    }
  }

  /** A day as `2026-11-01`. */
  date(key: string): string | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    const time = typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value) ? Date.parse(`${value}T00:00:00Z`) : NaN;
    // There is no 30th of February, whatever Date makes of it.
    if (!Number.isNaN(time) && new Date(time).toISOString().startsWith(value as string)) return value as string;
    return this.fail(key, "a day like 2026-11-01");
  }

  /** Whether there are further settings under `key`. */
  isSection(key: string): boolean {
    const value = this.values[key];
    return typeof value === "object" && value !== null && !Array.isArray(value);
  }

  section(key: string): ConfigFile {
    const value = this.#value(key) ?? {};
    if (typeof value !== "object" || Array.isArray(value)) return this.fail(key, "a section of settings");
    return new ConfigFile(this.path, `${this.prefix}${key}.`, value as Record<string, unknown>, this.source);
  }

  refuseUnknown(): void {
    const unknown = this.names().find((name) => !this.#asked.has(name));
    if (unknown === undefined) return;
    throw new Problem(
      "invalid",
      `${this.path}: ${this.prefix}${unknown} is not a setting; the settings are ${[...this.#asked].sort().join(", ")}`,
      "mend the file",
    );
  }

  #value(key: string): unknown {
    this.#asked.add(key);
    return this.values[key] ?? undefined;
  }
}
