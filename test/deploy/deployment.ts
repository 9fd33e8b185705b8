import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Glob } from "bun";
import { parseAllDocuments } from "yaml";

export const ROOT = resolve(import.meta.dir, "../..");

/** How one of the files in deploy/ starts Keybrake. */
export interface Start {
  /** The file, and the service or container in it. */
  readonly name: string;
  /** Without `keybrake`. */
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly image: string | undefined;
}

/** A part of a YAML file, of whatever shape. */
export type Part = { readonly [key: string]: Part } & readonly Part[] & string;

export function readDeployed(path: string): string {
  return readFileSync(join(ROOT, "deploy", path), "utf8");
}

/** Paths from deploy/. */
export function deployedFiles(): readonly string[] {
  return [...new Glob("**/*").scanSync({ cwd: join(ROOT, "deploy"), dot: true })].sort();
}

/** @throws Error where the text is no sound YAML, or has a key twice. */
export function documentsOf(path: string): readonly Part[] {
  return parseAllDocuments(readDeployed(path), { strict: true, uniqueKeys: true, merge: true }).map((document) => {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem) throw problem;
    return document.toJS() as Part;
  });
}

/** The services of a compose file that are Keybrake. */
export function composeStarts(path: string): readonly Start[] {
  const [file] = documentsOf(path);
  return Object.entries(file!.services!)
    .filter(([, { image }]) => image!.startsWith("keybrake:"))
    .map(([name, { command, environment, image }]) => ({
      name: `${path} ${name}`,
      words: command ?? [],
      environment: (environment ?? {}) as Record<string, string>,
      image,
    }));
}

/** The containers of a manifest. */
export function kubernetesStarts(path: string): readonly Start[] {
  return documentsOf(path).flatMap((document) =>
    (document.spec?.template?.spec?.containers ?? ([] as readonly Part[])).map(({ name, args, env, image }) => ({
      name: `${path} ${name}`,
      words: args!,
      environment: Object.fromEntries(env!.map((each) => [each["name"]!, each["value"]!])),
      image,
    })),
  );
}

/** The settings of a systemd unit, in their order; a key may stand there several times. */
export function unitSettings(path: string): readonly (readonly [key: string, value: string])[] {
  const lines = readDeployed(path).split("\n");
  return lines.flatMap((line) => {
    const [, key, value] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? [];
    return key === undefined ? [] : [[key, value!] as const];
  });
}

export function unitStart(path: string): Start {
  const settings = unitSettings(path);
  const values = (wanted: string) => settings.filter(([key]) => key === wanted).map(([, value]) => value);
  const [, ...words] = values("ExecStart")[0]!.split(" ");
  const environment = Object.fromEntries(values("Environment").map((text) => text.split("=", 2)));
  return { name: path, words, environment, image: undefined };
}
