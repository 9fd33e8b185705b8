import type { ReservedSQL } from "bun";

export interface Query {
  readonly sql: string;
  readonly params: readonly unknown[];
}

export interface QueryResult {
  readonly rows: readonly unknown[];
  readonly changes: number;
}

/** Rows as Bun's driver hands them out: an array with what the server has said of the command. */
type Answer = readonly unknown[] & { readonly count: number | bigint; readonly command: string };

/** The connection broke or stayed silent. */
export class LinkLost extends Error {}

/** It did so after COMMIT had been sent: nobody knows whether it was carried out. */
export class CommitInDoubt extends LinkLost {}

/**
 * A connection that is ours for one transaction. The queries of one `send` go out together, without waiting for each
 * other's answers. One that breaks or stays silent is not used again, and closed rather than given back.
 */
export class Link {
  readonly #connection: ReservedSQL;
  readonly #timeoutMs: number;
  #isLost = false;

  /** @param timeoutMs how long answers are waited for before the connection counts as lost. */
  constructor(connection: ReservedSQL, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /**
   * What every transaction begins with. The server gives up before this side does, so that what timed out here is not
   * still waiting for a lock there; and no setting of the database lets a commit be lost with the server.
   */
  get begin(): Query {
    const limitMs = Math.ceil(this.#timeoutMs * 0.8);
    const settings = `SET LOCAL lock_timeout = ${limitMs}; SET LOCAL statement_timeout = ${limitMs}; SET LOCAL synchronous_commit = on`;
    return {
      sql: `BEGIN ISOLATION LEVEL READ COMMITTED; ${settings}; SET LOCAL idle_in_transaction_session_timeout = ${2 * this.#timeoutMs}`,
      params: [],
    };
  }

  /** @throws LinkLost, or the first error that the server has answered. */
  async send(queries: readonly Query[]): Promise<readonly QueryResult[]> {
    if (queries.length === 0) return [];
    return (await this.#answers(queries)).map((answer) => ({ rows: answer, changes: Number(answer.count) }));
  }

  /** Sends the queries, and COMMIT with them. @throws CommitInDoubt; whatever else is thrown, nothing was committed. */
  async commit(queries: readonly Query[]): Promise<void> {
    try {
      const answers = await this.#answers([...queries, { sql: "COMMIT", params: [] }]);
      // A transaction that has failed answers COMMIT with ROLLBACK, and no error.
      const { command } = answers.at(-1)!;
      if (command !== "COMMIT") throw new Error(`the server answered COMMIT with ${command}`);
    } catch (cause) {
      if (cause instanceof LinkLost) throw new CommitInDoubt(cause.message);
      throw cause;
    }
  }

  /** Never throws: a connection that cannot do it is lost, and its transaction with it. */
  async rollBack(): Promise<void> {
    if (this.#isLost) return;
    try {
      await this.#answers([{ sql: "ROLLBACK", params: [] }]);
    } catch {
      this.#isLost = true;
    }
  }

  /** Gives the connection back, or closes it. */
  async release(): Promise<void> {
    if (this.#isLost) await this.#connection.close({ timeout: 0 });
    else await this.#connection.release();
  }

  async #answers(queries: readonly Query[]): Promise<readonly Answer[]> {
    if (this.#isLost) throw new LinkLost("the connection to the database was lost");
    const settled = await this.#within(
      Promise.allSettled(queries.map(({ sql, params }) => this.#connection.unsafe(sql, [...params]))),
    );
    const failed = settled.filter((one) => one.status === "rejected").map(({ reason }) => reason as Error);
    const lost = failed.find((cause) => !isAnswered(cause));
    if (lost) throw this.#lose(lost.message);
    if (failed.length > 0) throw failed[0]!;
    return settled.map((one) => (one as PromiseFulfilledResult<Answer>).value);
  }

  #within<Result>(work: Promise<Result>): Promise<Result> {
    let timer: Timer | undefined;
    const silence = new Promise<never>((_, failed) => {
      timer = setTimeout(() => failed(this.#lose(`no answer within ${this.#timeoutMs} ms`)), this.#timeoutMs);
    });
    return Promise.race([work, silence]).finally(() => clearTimeout(timer));
  }

  #lose(why: string): LinkLost {
    this.#isLost = true;
    return new LinkLost(`the connection to the database was lost: ${why}`);
  }
}

/** Classes of errors after which the server closes the connection: it is stopped, or somebody has ended the session. */
const FATAL = /^(57P0[1-5]|25P03|08)/;

/** Whether the server has said no to a statement, with one of its five-letter codes, and the connection still stands. */
function isAnswered(cause: Error): boolean {
  const { errno } = cause as { readonly errno?: unknown };
  return typeof errno === "string" && /^[0-9A-Z]{5}$/.test(errno) && !FATAL.test(errno);
}
