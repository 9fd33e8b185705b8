import type { Fields } from "../../core/call.ts";
import { quoted } from "./rejection.ts";

/** Longest whole name of a field. It bounds the work per field: names of nested fields repeat those of their parents. */
export const FIELD_NAME_CHARS_MAX = 512;

const NON_ASCII = /[^\x00-\x7f]/;
/** Capitals, space, controls and all beyond ASCII: a name without them is its own folded form. */
const NOT_FOLDED = /[^\x21-\x40\x5b-\x7e]/;
/** What most names are: flat, their own folded form, and none of the refused ones, which begin with an underscore. */
const SIMPLE_NAME = /^[a-z0-9-][a-z0-9_-]*$/;
const FLAT_NAME = /^[A-Za-z0-9_-]+$/;
/** Every name without these is made of ASCII letters, digits and harmless signs. */
const NAME_ODD = /[^\x21\x24\x28-\x2a\x2c-\x3a\x3c\x3e\x40-\x5b\x5d-\x7e]/;
/** Separators and escapes of the form grammar itself: a second decoding would find other fields. And quotes, backslash. */
const NAME_REFUSED = /[\x00-\x20\x7f"'&;=%#?+\\]/;
const EMPTY_DOT_PART = /^\.|\.\.|\.$/;
const INDEX_WITH_LEADING_ZERO = /^0[0-9]+$/;

/**
 * One name for all that lenient parsers could take for the same: letter case, Unicode compatibility forms and
 * surrounding space do not tell two names apart.
 */
export function foldName(name: string): string {
  if (!NOT_FOLDED.test(name)) return name;
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

/** What stands for a name that needs no node: a value of its own, spelt as folded. */
function valueNode(spelling: string): NamedNode {
  return { spelling, members: undefined, count: 0 };
}

/**
 * The names of one form: checks each against the grammar `name([segment])*` and against all names before it, and gives
 * its canonical spelling. The members of `x[]` and of a repeatable `x` are numbered: `x[0]`, `x[1]`.
 *
 * `fields` is the form as read so far, to which the caller adds each canonical name before it claims the next. It
 * remembers every value that is spelt as folded; only fields with members and names with capitals need a node.
 */
export class FieldNames {
  /** Why the last name was refused, as a sentence. */
  refusal = "";
  /** By folded name. Made when the first is needed, as most forms have none. */
  private nodes: Map<string, NamedNode> | undefined;
  private readonly dottedRoots: string[] = [];
  private readonly fields: Fields;
  private readonly repeatable: ReadonlySet<string>;
  private readonly nestingMax: number;

  constructor(fields: Fields, repeatable: ReadonlySet<string>, nestingMax: number) {
    this.fields = fields;
    this.repeatable = repeatable;
    this.nestingMax = nestingMax;
  }

  /** The canonical spelling of a decoded name, or undefined where it is refused. */
  claim(name: string): string | undefined {
    return this.isFreeSimple(name) ? name : this.claimAny(name);
  }

  /** Whether a name is a new one, flat and of lower-case letters, for which nothing else has to be looked at. */
  private isFreeSimple(name: string): boolean {
    return (
      name.length <= FIELD_NAME_CHARS_MAX &&
      SIMPLE_NAME.test(name) &&
      !this.fields.has(name) &&
      !this.nodes?.has(name) &&
      !this.repeatable.has(name)
    );
  }

  private claimAny(name: string): string | undefined {
    if (name.length > FIELD_NAME_CHARS_MAX) {
      return this.refuse(`A field name has ${name.length} characters; the limit is ${FIELD_NAME_CHARS_MAX}.`);
    }
    if (name === "_method") return this.refuse('The field "_method" is refused: some servers take it for the method.');
    if (FLAT_NAME.test(name)) return this.claimRoot(name);
    if (NAME_ODD.test(name) && (NAME_REFUSED.test(name) || !isPlainUnicode(name))) {
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
    if (this.dottedRoots.length === 0) return undefined;
    const underscored = new Map<string, string>();
    for (const root of this.dottedRoots) {
      const flat = foldName(root.replaceAll(".", "_"));
      if (this.isTaken(flat) || (underscored.get(flat) ?? root) !== root) {
        return clash(root, "the same name with underscores");
      }
      underscored.set(flat, root);
      for (let dot = root.indexOf("."); dot !== -1; dot = root.indexOf(".", dot + 1)) {
        if (this.isTaken(foldName(root.slice(0, dot)))) return clash(root, "the name before its dot");
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
    const isDotted = root.includes(".");
    if (root === "" || root.includes("]") || (isDotted && EMPTY_DOT_PART.test(root))) return this.refuseGrammar(name);
    if (root === "__proto__") return this.refuse('The field name "__proto__" is refused.');
    if (isDotted) this.dottedRoots.push(root);
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
      if (segment.startsWith("0") && INDEX_WITH_LEADING_ZERO.test(segment)) {
        return this.refuse(`The field ${quoted(name)} has an index with a leading zero; leave the zero out.`);
      }
      if (segment === "__proto__") return this.refuse('The field name "__proto__" is refused.');
      const parent = at === open ? root : name.slice(0, at);
      if (segment === "") return this.claimMember(parent, "empty_brackets");
      if (!this.claimParent(parent)) return undefined;
      if (last) return this.claimValue(name);
      at = close + 1;
    }
  }

  private claimValue(name: string): string | undefined {
    const folded = foldName(name);
    const node = this.node(folded);
    if (node !== undefined) return this.refuseTaken(name, node);
    if (folded !== name) this.addNode(folded, name, undefined);
    return name;
  }

  private claimParent(name: string): boolean {
    const folded = foldName(name);
    const node = this.node(folded) ?? this.addNode(folded, name, "explicit");
    if (node.spelling === name && node.members === "explicit") return true;
    this.refuseTaken(name, node);
    return false;
  }

  private claimMember(name: string, style: ListStyle): string | undefined {
    const folded = foldName(name);
    const node = this.node(folded) ?? this.addNode(folded, name, style);
    if (node.spelling !== name || node.members !== style) return this.refuseTaken(name, node);
    return `${name}[${node.count++}]`;
  }

  /** Members that are numbered here are never asked for: the parent of such a name is claimed, and refused, before. */
  private node(folded: string): NamedNode | undefined {
    return this.nodes?.get(folded) ?? (this.fields.has(folded) ? valueNode(folded) : undefined);
  }

  private isTaken(folded: string): boolean {
    return this.fields.has(folded) || this.nodes?.has(folded) === true;
  }

  private addNode(folded: string, spelling: string, members: ListStyle | undefined): NamedNode {
    const node: NamedNode = { spelling, members, count: 0 };
    this.nodes ??= new Map();
    this.nodes.set(folded, node);
    return node;
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
