import { basename } from "node:path";
import { functionsOf } from "./functions.ts";
import { bannedImport, layerOf } from "./imports.ts";
import type { Source } from "./source.ts";
import { banned, type Violation, violationAt } from "./violation.ts";

/** Where a thing that is banned elsewhere may stand: paths, or folders that end with a slash. */
export type Places = readonly string[];

function stands(source: Source, places: Places): boolean {
  return places.some((place) => (place.endsWith("/") ? source.path.startsWith(place) : source.path === place));
}

/** Nothing leaves for the network but where the request path or a sender does it. Who only listens may not fetch. */
export function checkNetwork(source: Source, senders: Places, listeners: Places): Violation[] {
  if (stands(source, senders)) return [];
  const message = "calls leave only from the listed senders (a handler is written `fetch: handler`)";
  const sends =
    /(?<![\w$.#])fetch\s*\(|\b(?:globalThis|Bun|window|self)\s*\.\s*fetch\b|\bBun\s*\.\s*(?:connect|udpSocket)\b|\bnew\s+(?:WebSocket|EventSource)\b/;
  const modules = /^(?:node:)?(?:https?|http2|net|tls|dgram|undici)$/;
  return [
    ...banned("network", source, "code", sends, message),
    ...(stands(source, listeners) ? [] : bannedImport("network", source, modules, message)),
  ];
}

/** One reader of the environment: every setting is validated in one place, and none is read behind its back. */
export function checkEnvironment(source: Source, places: Places): Violation[] {
  if (stands(source, places)) return [];
  const message = "the environment is read only in config.ts";
  const pattern =
    /\bprocess\s*\??\.\s*env\b|\bBun\s*\.\s*env\b|\bimport\.meta\.env\b|\bprocess\s*\[|\}\s*=\s*(?:process|Bun)\b/;
  return [
    ...banned("environment", source, "code", pattern, message),
    ...bannedImport("environment", source, /^(?:node:)?process$/, message),
  ];
}

export function checkDatabase(source: Source, places: Places): Violation[] {
  if (stands(source, places)) return [];
  const message = "databases are reached only from src/store/";
  return [
    ...bannedImport("database", source, /^(?:drizzle-orm(?:\/.*)?|bun:sqlite|node:sqlite|postgres|pg)$/, message),
    ...banned("database", source, "code", /\bBun\s*\.\s*(?:SQL|sql)\b|\bnew\s+SQL\b/, message),
  ];
}

/** A secret leaves its wrapper only where it is sealed or swapped in. */
export function checkReveal(source: Source, places: Places): Violation[] {
  if (stands(source, places)) return [];
  const message = "a secret is revealed only in the listed files";
  const quoted = [...source.text.matchAll(/\[\s*["'`]reveal["'`]\s*\]/g)];
  return [
    ...banned("reveal", source, "code", /\.\s*reveal\b|\{[^{}]*\breveal\b[^{}]*\}\s*=/, message),
    ...quoted.map((match) => violationAt("reveal", source, match.index, message)),
  ];
}

export function checkClock(source: Source, places: Places): Violation[] {
  if (stands(source, places)) return [];
  const pattern =
    /\bDate\s*\.\s*now\b|\bnew\s+Date\s*(?:\(\s*\)|[^\w\s(.])|(?<!new\s+)\bDate\s*\(|\bperformance\s*\.\s*\w+|\bprocess\s*\.\s*hrtime\b|\bBun\s*\.\s*nanoseconds\b/;
  return banned("clock", source, "code", pattern, "the time comes from the injected Clock");
}

export function checkOutput(source: Source, places: Places): Violation[] {
  if (stands(source, places)) return [];
  const pattern = /\bconsole\b\s*[.[]|\bprocess\s*\.\s*std(?:out|err)\b|\bBun\s*\.\s*std(?:out|err)\b/;
  return banned("output", source, "code", pattern, "only the voice and the log write");
}

/** The words of the domain do no I/O, so that everything that decides can be tested without a machine around it. */
export function checkPure(source: Source): Violation[] {
  if (layerOf(source.path) !== "core") return [];
  const message = "core does no I/O";
  return [
    ...bannedImport(
      "pure",
      source,
      /^(?:node:)?(?:fs(?:\/promises)?|child_process|net|tls|https?|os|worker_threads)$|^bun$/,
      message,
    ),
    ...banned("pure", source, "code", /\bBun\s*\./, message),
  ];
}

export const FILE_LINES_MAX = 300;
export const FUNCTION_LINES_MAX = 70;

export function checkSize(source: Source): Violation[] {
  const fileLines = source.text.replace(/\n$/, "").split("\n").length;
  const long = functionsOf(source).filter(({ lines }) => lines > FUNCTION_LINES_MAX);
  return [
    ...(fileLines > FILE_LINES_MAX
      ? [violationAt("size", source, 0, `${fileLines} lines, at most ${FILE_LINES_MAX} are allowed`)]
      : []),
    ...long.map(({ line, lines }) => ({
      rule: "size",
      path: source.path,
      line,
      message: `a function of ${lines} lines, at most ${FUNCTION_LINES_MAX} are allowed`,
    })),
  ];
}

const KEBAB_CASE = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const DRAWER = /^(?:utils?|helpers?|common|services?|misc|shared|types)$/;

/** Kebab-case all along the path, and no name that says nothing about what is inside. */
export function checkNames(source: Source): Violation[] {
  const names = source.path.split("/").map((part) => part.split(".")[0]!);
  return [
    ...names.filter((name) => !KEBAB_CASE.test(name)).map((name) => `"${name}" is not kebab-case`),
    ...names.filter((name) => DRAWER.test(name)).map((name) => `"${name}" says nothing: name what it holds`),
  ].map((message) => violationAt("names", source, 0, message));
}

export function checkTyping(source: Source): Violation[] {
  const any = /(?::|<|\bas|\||&|=>)\s*any\b(?!\s*[(:])|<[^<>()]*,\s*any\s*>/;
  return [
    ...banned("typing", source, "code", any, "`any` switches the type checker off: use `unknown`"),
    ...banned("typing", source, "comments", /@ts-(?:ignore|nocheck)\b/, "the type checker is not switched off"),
  ];
}

export function checkFinished(source: Source): Violation[] {
  return banned("finished", source, "comments", /\b(?:TODO|FIXME|XXX|HACK)\b/, "finish it, or leave it out");
}

export function checkBarrels(source: Source, places: Places): Violation[] {
  if (stands(source, places)) return [];
  const star = banned("barrels", source, "code", /\bexport\s*\*/, "a barrel hides where a name comes from");
  return basename(source.path) === "index.ts"
    ? [...star, violationAt("barrels", source, 0, "index.ts is only for the listed lists")]
    : star;
}

/** Money is a bigint of micro-dollars; on these paths nothing turns it into a float, or a float into it. */
export function checkMoney(source: Source, places: Places): Violation[] {
  if (!stands(source, places)) return [];
  const message = "no floating point on a money path";
  const float =
    /\bNumber\s*\(|\bNumber\.parse|\bparseInt\s*\(|\bMath\s*\.|\.toFixed\s*\(|[mM]icros\b\??\s*:\s*number\b/;
  const lines = source.code.split("\n");
  return [
    ...banned("money", source, "code", /\bparseFloat\b/, message),
    ...lines.flatMap((line, index) =>
      /micros/i.test(line) && float.test(line) ? [{ rule: "money", path: source.path, line: index + 1, message }] : [],
    ),
  ];
}

/** The middle of the files' line counts. */
export function medianLines(sources: readonly Source[]): number {
  const counts = sources.map(({ text }) => text.split("\n").length).sort((a, b) => a - b);
  return counts[Math.floor(counts.length / 2)] ?? 0;
}
