import type { Statement } from "../ledger/statements.ts";
import { CommitInDoubt, type Link, type Query, type QueryResult } from "./link.ts";

/** What a statement may be given: a list of these goes over the wire as JSON. */
export type Argument = string | number | bigint | Uint8Array | null;

/**
 * A statement for many at once: `$1` is a JSON list with the arguments of each. A reading one answers rows with their place
 * in that list as `i`, from 1.
 */
export interface PgStatement {
  readonly sql: string;
  /** The tables that it reads. */
  readonly reads?: readonly string[];
  /** The one table that it changes. */
  readonly writes?: string;
  /** The same, but an error where a row is there already: then nobody has to wait to hear whether it was. */
  readonly sqlOfNew?: string;
}

/** Something that a step wants to read, and that may already be read for it when it begins. */
export interface Ask {
  readonly statement: PgStatement;
  readonly args: readonly Argument[];
}

interface Write extends Ask {
  /** Set once it has been sent. */
  changes: number | undefined;
}

/** Thrown through a step, never out of here: it cannot go on before this has been asked. */
class Unasked {
  readonly read: Ask | undefined;
  readonly key: string;

  constructor(read?: Ask, key = "") {
    this.read = read;
    this.key = key;
  }
}

/** PostgreSQL's code for a row that is there already. */
const UNIQUE_VIOLATION = "23505";

/** A step that reads one thing after the other, for ever, is a fault of the program. */
const PASSES_MAX = 10_000;

/**
 * Runs steps that are written for a database in the same process (src/store/ledger/) in a transaction of PostgreSQL. What a
 * step will surely read is asked before it begins, in one go. Where it asks for something else it is stopped, that is asked,
 * and the step begins anew; what it writes is kept until its end and sent in one go with the COMMIT. Steps are rehearsed,
 * as it were, until nothing is missing. A step has to do the same again when it is told the same: it changes nothing but
 * what it has made itself.
 */
export class Rehearsal {
  readonly #answers = new Map<string, readonly unknown[]>();
  #writes: Write[] = [];
  /** How many of this pass's writes have been met so far, in all and of each table. */
  #met = 0;
  readonly #metOf = new Map<string, number>();
  #isCareful = false;

  statement<Row, Args extends readonly Argument[]>(statement: PgStatement): Statement<Row, Args> {
    return {
      get: (...args) => (this.#read(statement, args)[0] as Row | undefined) ?? null,
      all: (...args) => this.#read(statement, args) as readonly Row[],
      run: (...args) => this.#run(statement, args),
    };
  }

  /**
   * @param asked what is read before the step begins; its first one takes the locks.
   * @throws CommitInDoubt, or what the link throws: then nothing was committed.
   */
  async transact<Result>(link: Link, asked: readonly Ask[], step: () => Result): Promise<Result> {
    for (this.#isCareful = false; ; this.#isCareful = true) {
      try {
        return await this.#attempt(link, asked, step);
      } catch (cause) {
        if (this.#isCareful || (cause as { errno?: unknown }).errno !== UNIQUE_VIOLATION) throw cause;
      } finally {
        this.#answers.clear();
        this.#writes = [];
        this.#restart();
      }
    }
  }

  async #attempt<Result>(link: Link, asked: readonly Ask[], step: () => Result): Promise<Result> {
    try {
      await this.#ask(link, asked, [link.begin]);
      const result = await this.#rehearse(link, step);
      await this.#commit(link);
      return result;
    } catch (cause) {
      if (!(cause instanceof CommitInDoubt)) await link.rollBack();
      throw cause;
    }
  }

  async #rehearse<Result>(link: Link, step: () => Result): Promise<Result> {
    for (let pass = 1; ; pass++) {
      this.#restart();
      try {
        return step();
      } catch (cause) {
        if (!(cause instanceof Unasked)) throw cause;
        if (pass === PASSES_MAX) throw new Error(`a step has asked for ${PASSES_MAX} things one after the other`);
        await this.#tell(link, cause);
      }
    }
  }

  #restart(): void {
    this.#met = 0;
    this.#metOf.clear();
  }

  /** What is known at this place of the step: rows are as the writes to their tables before it have left them. */
  #read(statement: PgStatement, args: readonly Argument[]): readonly unknown[] {
    const key = this.#keyOf(statement, args);
    const rows = this.#answers.get(key);
    if (!rows) throw new Unasked({ statement, args }, key);
    return rows;
  }

  #run(statement: PgStatement, args: readonly Argument[]): { readonly changes: number } {
    const place = this.#met++;
    const table = statement.writes!;
    this.#metOf.set(table, (this.#metOf.get(table) ?? 0) + 1);
    const known = this.#writes[place];
    if (known?.changes === undefined) this.#writes[place] = { statement, args, changes: undefined };
    else if (known.statement !== statement || jsonOf([known.args]) !== jsonOf([args])) {
      throw new Error("a step did something else when it was begun anew");
    }
    const write = this.#writes[place]!;
    const isSurelyNew = statement.sqlOfNew !== undefined && !this.#isCareful;
    return {
      get changes() {
        if (write.changes !== undefined) return write.changes;
        if (isSurelyNew) return 1;
        throw new Unasked();
      },
    };
  }

  #keyOf(statement: PgStatement, args: readonly Argument[]): string {
    const seen = (statement.reads ?? []).map((table) => this.#metOf.get(table) ?? 0);
    return `${idOf(statement)} ${seen.join(",")} ${jsonOf([args])}`;
  }

  async #ask(link: Link, asked: readonly Ask[], first: readonly Query[]): Promise<void> {
    const groups = [...Map.groupBy(asked, ({ statement }) => statement)];
    const queries = groups.map(([statement, asks]) => queryOf(statement, asks));
    const results = (await link.send([...first, ...queries])).slice(first.length);
    for (const [index, [, asks]] of groups.entries()) this.#keep(asks, [results[index]!]);
  }

  #keep(asks: readonly Ask[], [result]: readonly QueryResult[], keys?: readonly string[]): void {
    const rows = Map.groupBy(result!.rows as readonly { readonly i: bigint | number }[], ({ i }) => Number(i));
    for (const [index, { statement, args }] of asks.entries()) {
      this.#answers.set(keys?.[index] ?? this.#keyOf(statement, args), rows.get(index + 1) ?? []);
    }
  }

  /** Asks what the step could not go on without; what it has written of the same tables is sent before. */
  async #tell(link: Link, { read, key }: Unasked): Promise<void> {
    const pending = this.#pending();
    const isTouched = ({ statement }: Write) => read?.statement.reads?.includes(statement.writes!) ?? true;
    const before = pending.some(isTouched) ? pending : [];
    const queries = before.map((write) => this.#queryOfWrites([write]));
    const results = await link.send(read ? [...queries, queryOf(read.statement, [read])] : queries);
    for (const [index, write] of before.entries()) write.changes = results[index]!.changes;
    if (read) this.#keep([read], results.slice(-1), [key]);
  }

  /** What this pass has written and nobody has sent. */
  #pending(): readonly Write[] {
    return this.#writes.slice(0, this.#met).filter(({ changes }) => changes === undefined);
  }

  async #commit(link: Link): Promise<void> {
    await link.commit(grouped(this.#pending()).map((group) => this.#queryOfWrites(group)));
  }

  #queryOfWrites(group: readonly Write[]): Query {
    const { statement } = group[0]!;
    const sql = this.#isCareful ? statement.sql : (statement.sqlOfNew ?? statement.sql);
    return { sql, params: [jsonOf(group.map(({ args }) => args))] };
  }
}

function queryOf(statement: PgStatement, asks: readonly Ask[]): Query {
  return { sql: statement.sql, params: [jsonOf(asks.map(({ args }) => args))] };
}

/** In an order that nobody can tell from the one in which they were written: only writes to one table can meet. */
function grouped(writes: readonly Write[]): readonly (readonly Write[])[] {
  const groups: Write[][] = [];
  const lastOf = new Map<string, Write[]>();
  for (const write of writes) {
    const last = lastOf.get(write.statement.writes!);
    if (last && last[0]!.statement === write.statement) {
      last.push(write);
      continue;
    }
    const group = [write];
    groups.push(group);
    lastOf.set(write.statement.writes!, group);
  }
  return groups;
}

const ids = new WeakMap<PgStatement, number>();
let newest = 0;

function idOf(statement: PgStatement): number {
  const known = ids.get(statement);
  if (known !== undefined) return known;
  ids.set(statement, ++newest);
  return newest;
}

/** Amounts as text and bytes as hex, which is how the statements read them. */
function jsonOf(lists: readonly (readonly Argument[])[]): string {
  return JSON.stringify(lists.map((args) => args.map(written)));
}

function written(value: Argument): string | number | null {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex");
  // A lone surrogate is no character to PostgreSQL.
  return typeof value === "string" ? value.toWellFormed() : value;
}
