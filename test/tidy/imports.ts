import { posix } from "node:path";
import type { Source } from "./source.ts";
import { type Violation, violationAt } from "./violation.ts";

/** What a file in a layer may import from other layers, or "any". A layer is a folder of src, or a file in src itself. */
export type Layers = Readonly<Record<string, readonly string[] | "any">>;

export interface Import {
  /** As written: `../core/money.ts`, `drizzle-orm`. */
  readonly specifier: string;
  readonly index: number;
}

/** Every `import`, `export … from`, `import()` and `require()` with a literal, types included. */
export function importsOf(source: Source): Import[] {
  const found = source.code.matchAll(/\b(?:from|import|require)\s*\(?\s*(["'`])/g);
  return [...found].map((match) => {
    const begin = match.index + match[0].length;
    const end = source.text.indexOf(match[1]!, begin);
    return { specifier: source.text.slice(begin, end), index: match.index };
  });
}

/** The layer of a path in src: `proxy` for `src/proxy/swap.ts`, `config.ts` for `src/config.ts`; undefined outside src. */
export function layerOf(path: string): string | undefined {
  const [top, layer] = path.split("/");
  return top === "src" ? layer : undefined;
}

/** Data that the binary carries and that lies outside src. */
const OUTSIDE_ALLOWED = /^(?:policies\/|package\.json$)/;

/** Refuses an import against the direction of `layers`, and a layer that `layers` does not know. Declarations have none. */
export function checkDirection(source: Source, layers: Layers): Violation[] {
  const layer = layerOf(source.path);
  if (layer === undefined || layer.endsWith(".d.ts")) return [];
  const allowed = layers[layer];
  if (allowed === undefined) return [violationAt("direction", source, 0, `"${layer}" has no place in the layer map`)];
  return importsOf(source).flatMap(({ specifier, index }) => {
    if (!specifier.startsWith(".")) return [];
    const target = posix.join(posix.dirname(source.path), specifier);
    const targetLayer = layerOf(target);
    if (targetLayer === layer) return [];
    const fine =
      targetLayer === undefined ? OUTSIDE_ALLOWED.test(target) : allowed === "any" || allowed.includes(targetLayer);
    if (fine) return [];
    return [violationAt("direction", source, index, `"${layer}" may not import "${targetLayer ?? target}"`)];
  });
}

/** Code of another layer that a page may hold: the words of the domain do no I/O, and run in a browser, too. */
const RUNS_IN_BROWSERS = "core";

/**
 * What a page imports from other layers is types alone, but for `core`: anything else would be carried into the browser, and
 * with it what it imports: the database, the secrets' wrapping, Node.
 */
export function checkPage(source: Source, page: string): Violation[] {
  if (layerOf(source.path) !== page) return [];
  return importsOf(source).flatMap(({ specifier, index }) => {
    if (!specifier.startsWith(".")) return [];
    const layer = layerOf(posix.join(posix.dirname(source.path), specifier));
    if (layer === undefined || layer === page || layer === RUNS_IN_BROWSERS) return [];
    const statement = source.code.slice(0, index).slice(source.code.lastIndexOf(";", index) + 1);
    if (/^\s*(?:import|export)\s+type\b/.test(statement)) return [];
    return [violationAt("page", source, index, `a page imports types alone from "${layer}"`)];
  });
}

/** Refuses packages that match `pattern` where the file is not allowed. */
export function bannedImport(rule: string, source: Source, pattern: RegExp, message: string): Violation[] {
  return importsOf(source)
    .filter(({ specifier }) => pattern.test(specifier))
    .map(({ specifier, index }) => violationAt(rule, source, index, `"${specifier}": ${message}`));
}
