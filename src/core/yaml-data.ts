import {
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
} from "yaml";

/** Keys and list positions from the top of a document. */
export type DataPath = readonly (string | number)[];

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
}

export interface YamlProblem extends Position {
  readonly message: string;
}

export interface YamlData {
  /** Maps, arrays, text, booleans and null. Numbers are text as they were written, so that none is rounded or re-spelled. */
  readonly data: unknown;
  readonly problems: readonly YamlProblem[];
  /** Where the value at `path` begins, or its key; where there is no such value, the nearest one around it. */
  readonly positionOf: (path: DataPath, what?: "key" | "value") => Position;
}

/** An input's name, as in `${customers}`. */
export const INPUT_NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;

const YAML_CHARACTERS_MAX = 256 * 1024;

/**
 * Stand-ins for `${`, and `}` while YAML is read: `{ in: ${customers} }` is what people write, and the braces would end
 * the flow map. Of the same length, so that lines and columns stay true.
 */
const OPEN = "\uE000\uE001";
const CLOSE = "\uE002";

function hideInputs(text: string): string {
  return text.replace(/\$\{([A-Za-z_][A-Za-z0-9_-]*)\}/g, `${OPEN}$1${CLOSE}`);
}

function showInputs(text: string): string {
  return text.replaceAll(OPEN, "${").replaceAll(CLOSE, "}");
}

/**
 * Reads one YAML 1.2 document of plain data: no anchors and aliases (a few lines can grow to gigabytes), no tags, no
 * duplicate keys, no `%YAML 1.1` that would read `no` as false.
 * @param charactersMax a longer text is refused unread.
 */
export function readYaml(text: string, charactersMax: number = YAML_CHARACTERS_MAX): YamlData {
  const problems: YamlProblem[] = [];
  const lines = new LineCounter();
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  if (text.length > charactersMax || /[\uE000-\uE002]/.test(text)) {
    const why =
      text.length > charactersMax ? `is longer than ${charactersMax} characters` : "has private-use characters";
    return nothing({ line: 1, column: 1, message: `the file ${why}` });
  }
  const document = parsed(hideInputs(text), lines);
  if (!document) return nothing({ line: 1, column: 1, message: "the file is nested too deeply" });
  for (const { message, pos } of [...document.errors, ...document.warnings]) {
    problems.push({ ...at(pos[0]), message: showInputs(message) });
  }
  const { yaml } = document.directives ?? {};
  if (yaml?.explicit && yaml.version !== "1.2") {
    problems.push({ line: 1, column: 1, message: `the file says %YAML ${yaml.version}; templates are YAML 1.2` });
  }
  const reader = new NodeReader((offset, message) => problems.push({ ...at(offset), message }));
  const data = problems.length === 0 ? reader.value(document.contents) : undefined;
  const positionOf: YamlData["positionOf"] = (path, what = "value") => at(offsetOf(document.contents, path, what));
  return { data, problems, positionOf };
}

function parsed(text: string, lineCounter: LineCounter) {
  try {
    return parseDocument(text, {
      version: "1.2",
      schema: "core",
      strict: true,
      uniqueKeys: true,
      prettyErrors: false,
      lineCounter,
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined; // the parser's own recursion ran out of stack
    throw error;
  }
}

function nothing(problem: YamlProblem): YamlData {
  return { data: undefined, problems: [problem], positionOf: () => ({ line: 1, column: 1 }) };
}

class NodeReader {
  readonly #report: (offset: number, message: string) => void;

  constructor(report: (offset: number, message: string) => void) {
    this.#report = report;
  }

  value(node: unknown): unknown {
    if (node === null || node === undefined) return null;
    this.#refuseTricks(node as Node);
    if (isMap(node)) return Object.fromEntries(node.items.map((pair) => [this.#key(pair), this.value(pair.value)]));
    if (isSeq(node)) return node.items.map((item) => (isPair(item) ? this.value(item.value) : this.value(item)));
    return isScalar(node) ? this.#scalar(node) : null;
  }

  #refuseTricks(node: Node): void {
    const offset = node.range?.[0] ?? 0;
    if (isAlias(node) || (node as { anchor?: string }).anchor !== undefined) {
      this.#report(
        offset,
        "anchors (&) and aliases (*) are not taken; write the value out, or in quotes if it is text",
      );
    }
    if (node.tag !== undefined) this.#report(offset, `tags like ${node.tag} are not taken`);
  }

  #scalar(node: Scalar): unknown {
    const { value, source } = node;
    // `+15005550006`, `007` and `1.50` keep their spelling; a policy has no use for a float.
    if (typeof value === "number" || typeof value === "bigint") return source ?? String(value);
    return typeof value === "string" ? showInputs(value) : value;
  }

  #key({ key }: Pair): string {
    const offset = (key as Node | null)?.range?.[0] ?? 0;
    if (!isScalar(key) || key.value === null || isAlias(key)) {
      this.#report(offset, "a key must be text");
      return "";
    }
    this.#refuseTricks(key);
    const text = String(this.#scalar(key));
    if (text.includes("${")) this.#report(offset, `${text} stands for a key; inputs can only fill values`);
    return text;
  }
}

function offsetOf(root: unknown, path: DataPath, what: "key" | "value"): number {
  let node = root;
  let offset = (root as Node | null)?.range?.[0] ?? 0;
  for (const [depth, part] of path.entries()) {
    const last = depth === path.length - 1;
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === part);
      const keyOffset = (pair?.key as Node | undefined)?.range?.[0];
      offset = keyOffset ?? offset;
      if (last && what === "key") return offset;
      next = pair?.value;
    } else if (isSeq(node) && typeof part === "number") {
      next = node.items[part];
    }
    if (!next) return offset;
    node = next;
    offset = (next as Node).range?.[0] ?? offset;
  }
  return offset;
}
