import { quoted } from "./rejection.ts";

/** Longest whole name of a field. It bounds the work per field: names of nested fields repeat those of their parents. */
export const FIELD_NAME_CHARS_MAX = 512;

const NON_ASCII = /[^\x00-\x7f]/;
const FLAT_NAME = /^[A-Za-z0-9_-]+$/;
/** Separators and escapes of the form grammar itself: a second decoding would find other fields. And quotes, backslash. */
const NAME_REFUSED = /[\x00-\x20\x7f"'&;=%#?+\\]/;
const EMPTY_DOT_PART = /^\.|\.\.|\.$/;
const INDEX_WITH_LEADING_ZERO = /^0[0-9]+$/;

/**
 * One name for all that lenient parsers could take for the same: letter case, Unicode compatibility forms and
 * surrounding space do not tell two names apart.
 */
export function foldName(name: string): string {
  if (!NON_ASCII.test(name)) return name.trim().toLowerCase();
  return name.normalize("NFKC").toUpperCase().toLowerCase().trim();
}

/** How the members of a field that has some are written. Parsers number mixtures of them differently. */
type ListStyle = "explicit" | "empty_brackets" | "repeated";

interface NamedNode {
  readonly spelling: string;
  /** Undefined for a field that has a value of its own. */
  readonly members: ListStyle | undefined;
  /** Members so far where they are numbered here. */
  count: number;
}

/**
 * The names of one form: checks each against the grammar `name([segment])*` and against all names before it, and gives
 * its canonical spelling. The members of `x[]` and of a repeatable `x` are numbered: `x[0]`, `x[1]`.
 */
export class FieldNames {
  /** Why the last name was refused, as a sentence. */
  refusal = "";
  private readonly nodes = new Map<string, NamedNode>();
  private readonly dottedRoots: string[] = [];
  private readonly repeatable: ReadonlySet<string>;
  private readonly nestingMax: number;

  constructor(repeatable: ReadonlySet<string>, nestingMax: number) {
    this.repeatable = repeatable;
    this.nestingMax = nestingMax;
  }

  /** The canonical spelling of a decoded name, or undefined where it is refused. */
  claim(name: string): string | undefined {
    if (name.length > FIELD_NAME_CHARS_MAX) {
      return this.refuse(`A field name has ${name.length} characters; the limit is ${FIELD_NAME_CHARS_MAX}.`);
    }
    if (name === "_method") return this.refuse('The field "_method" is refused: some servers take it for the method.');
    if (FLAT_NAME.test(name)) return this.claimRoot(name);
    if (NAME_REFUSED.test(name) || !isPlainUnicode(name)) {
      return this.refuse(
        `The field name ${quoted(name)} has a character that is not allowed in a name (space, quote, separator, control).`,
      );
    }
    return this.claimBracketed(name);
  }

  /**
   * Why the dots in names collide with other names, if they do: `a.b` is `a[b]` to some parsers and `a_b` to PHP. To be
   * asked once all names are claimed.
   */
  dotRefusal(): string | undefined {
    const underscored = new Map<string, string>();
    for (const root of this.dottedRoots) {
      const flat = foldName(root.replaceAll(".", "_"));
      if (this.nodes.has(flat) || (underscored.get(flat) ?? root) !== root) {
        return clash(root, "the same name with underscores");
      }
      underscored.set(flat, root);
      for (let dot = root.indexOf("."); dot !== -1; dot = root.indexOf(".", dot + 1)) {
        if (this.nodes.has(foldName(root.slice(0, dot)))) return clash(root, "the name before its dot");
      }
    }
    return undefined;
  }

  private claimRoot(name: string): string | undefined {
    if (name === "__proto__") return this.refuse('The field name "__proto__" is refused.');
    return this.repeatable.has(name) ? this.claimMember(name, "repeated") : this.claimValue(name);
  }

  private claimBracketed(name: string): string | undefined {
    const open = name.indexOf("[");
    const root = open === -1 ? name : name.slice(0, open);
    if (root === "" || root.includes("]") || EMPTY_DOT_PART.test(root)) return this.refuseGrammar(name);
    if (root === "__proto__") return this.refuse('The field name "__proto__" is refused.');
    if (root.includes(".")) this.dottedRoots.push(root);
    if (open === -1) return this.claimRoot(name);
    let nesting = 0;
    for (let at = open; ; ) {
      const close = name.indexOf("]", at);
      const segment = close === -1 ? "[" : name.slice(at + 1, close);
      const last = close === name.length - 1;
      if (segment.includes("[") || (segment === "" && !last) || (!last && name[close + 1] !== "[")) {
        return this.refuseGrammar(name);
      }
      if (++nesting > this.nestingMax) {
        return this.refuse(`The field ${quoted(name)} is nested deeper than ${this.nestingMax} levels.`);
      }
      if (INDEX_WITH_LEADING_ZERO.test(segment)) {
        return this.refuse(`The field ${quoted(name)} has an index with a leading zero; leave the zero out.`);
      }
      if (segment === "__proto__") return this.refuse('The field name "__proto__" is refused.');
      const parent = name.slice(0, at);
      if (segment === "") return this.claimMember(parent, "empty_brackets");
      if (!this.claimParent(parent)) return undefined;
      if (last) return this.claimValue(name);
      at = close + 1;
    }
  }

  private claimValue(name: string): string | undefined {
    const folded = foldName(name);
    const node = this.nodes.get(folded);
    if (node !== undefined) return this.refuseTaken(name, node);
    this.nodes.set(folded, { spelling: name, members: undefined, count: 0 });
    return name;
  }

  private claimParent(name: string): boolean {
    const folded = foldName(name);
    const node = this.nodes.get(folded);
    if (node === undefined) {
      this.nodes.set(folded, { spelling: name, members: "explicit", count: 0 });
      return true;
    }
    if (node.spelling === name && node.members === "explicit") return true;
    this.refuseTaken(name, node);
    return false;
  }

  private claimMember(name: string, style: ListStyle): string | undefined {
    const folded = foldName(name);
    let node = this.nodes.get(folded);
    if (node === undefined) {
      node = { spelling: name, members: style, count: 0 };
      this.nodes.set(folded, node);
    }
    if (node.spelling !== name || node.members !== style) return this.refuseTaken(name, node);
    return `${name}[${node.count++}]`;
  }

  private refuseTaken(name: string, node: NamedNode): undefined {
    if (node.spelling !== name) {
      return this.refuse(
        `The field names ${quoted(node.spelling)} and ${quoted(name)} differ only in letter case; send one.`,
      );
    }
    const how =
      node.members === undefined ? "more than once" : "in two spellings (a value, a list and an object are three)";
    return this.refuse(`The field ${quoted(name)} is there ${how}; send it once.`);
  }

  private refuseGrammar(name: string): undefined {
    return this.refuse(`The field name ${quoted(name)} is not of the form name, name[key] or name[].`);
  }

  private refuse(message: string): undefined {
    this.refusal = message;
    return undefined;
  }
}

function clash(root: string, what: string): string {
  return `The field ${quoted(root)} and ${what} are both there; parsers read the two differently. Send one.`;
}

function isPlainUnicode(name: string): boolean {
  return !NON_ASCII.test(name) || (name.normalize("NFKC") === name && !/[\p{C}\p{Z}]/u.test(name));
}
