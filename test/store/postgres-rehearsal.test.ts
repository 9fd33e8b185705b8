import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CommitInDoubt } from "../../src/store/postgres/link.ts";
import { type Argument, type Ask, type PgStatement, Rehearsal } from "../../src/store/postgres/rehearsal.ts";
import { directly, fakePostgres, STATEMENTS } from "./rehearsed-database.ts";

type Name = keyof typeof STATEMENTS;

/** One thing that a step does, with what it has read last. */
interface Doing {
  readonly statement: Name;
  readonly row: string;
  readonly amount: number;
  /** Whether it is asked before the step begins. */
  readonly isForeseen: boolean;
  /** Whether the step goes on by how much a write has changed. */
  readonly isHeard: boolean;
}

interface Statements {
  statement(statement: PgStatement): {
    get(...args: readonly Argument[]): unknown;
    run(...args: readonly Argument[]): { readonly changes: number };
  };
}

/** Does it all, each write with what was read before it, and tells what it has heard. */
function perform(on: Statements, doings: readonly Doing[]): unknown[] {
  let last = 0;
  return doings.map(({ statement, row, amount, isHeard }) => {
    const given = STATEMENTS[statement] as PgStatement;
    if (given.writes === undefined) {
      const found = on.statement(given).get(row) as { readonly used?: number; readonly text?: string } | null;
      last = found?.used ?? Number(found?.text ?? 0);
      return last;
    }
    const args = statement === "forget" ? [row] : [row, last + amount];
    const written = on.statement(given).run(...args);
    if (!isHeard) return null;
    last += written.changes;
    return written.changes;
  });
}

const doing: fc.Arbitrary<Doing> = fc.record({
  statement: fc.constantFrom(...(Object.keys(STATEMENTS) as Name[])),
  row: fc.constantFrom("a", "b"),
  amount: fc.nat(3),
  isForeseen: fc.boolean(),
  isHeard: fc.boolean(),
});

describe("a step that is rehearsed", () => {
  test("hears and leaves what it does on a database in the process, whatever was asked before it begins", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(doing, { maxLength: 9 }), { maxLength: 4 }), async (steps) => {
        const [fake, direct, rehearsal] = [fakePostgres(), directly(), new Rehearsal()];
        for (const step of steps) {
          const heard = await rehearsal.transact(fake.link, asksOf(step), () => perform(rehearsal, step));
          expect(heard).toEqual(perform(direct, step));
          expect(fake.tables()).toEqual(direct.tables());
        }
      }),
      { numRuns: 300 },
    );
  });

  test("is begun anew when it asks for something that nobody foresaw, and its writes are sent once", async () => {
    const { fake, rehearsal, used, setUsed } = parts();
    let begun = 0;
    await rehearsal.transact(fake.link, [], () => {
      begun += 1;
      setUsed.run("a", 5);
      const before = used.get("b");
      setUsed.run("b", before === null ? 7 : 8);
    });
    expect(begun).toBe(2);
    expect(fake.tables()).toEqual([counters({ a: 5, b: 7 }), []]);
    expect(fake.sent.filter((sql) => sql === STATEMENTS.setUsed.sql)).toHaveLength(2);
    expect(fake.sent.map(verbOf)).toEqual(["BEGIN", "INSERT", "SELECT", "INSERT", "COMMIT"]);
  });

  test("of which everything was foreseen is two ways to the server, its writes to one table together", async () => {
    const { fake, rehearsal, used, setUsed, note } = parts();
    await rehearsal.transact(fake.link, ["a", "b"].map(askUsed), () => {
      const before = ["a", "b"].map((name) => used.get(name));
      for (const [index, name] of ["a", "b"].entries()) setUsed.run(name, before[index] === null ? 1 : 2);
      note.run("a", "1");
    });
    expect(fake.sent.map(verbOf)).toEqual(["BEGIN", "SELECT", "INSERT", "INSERT", "COMMIT"]);
    expect(fake.tables()).toEqual([counters({ a: 1, b: 1 }), [{ id: "a", text: "1" }]]);
  });

  test("reads after a write to the same table what that write has left, and not what was read before it", async () => {
    const { fake, rehearsal, used, setUsed } = parts();
    const heard = await rehearsal.transact(fake.link, [askUsed("a")], () => {
      const before = used.get("a");
      setUsed.run("a", 5);
      return [before, (used.get("a") as { used: number }).used];
    });
    expect(heard).toEqual([null, 5]);
  });

  test("of which a row that it takes for new is there already is told so, once it looks again", async () => {
    const { fake, rehearsal, setUsed, note } = parts();
    await rehearsal.transact(fake.link, [], () => note.run("a", "first"));
    const changes = await rehearsal.transact(fake.link, [], () => {
      const made = note.run("a", "second").changes;
      setUsed.run("a", made);
      return made;
    });
    expect(changes).toBe(0);
    expect(fake.tables()).toEqual([counters({ a: 0 }), [{ id: "a", text: "first" }]]);
    expect(fake.sent.filter((sql) => verbOf(sql) === "ROLLBACK")).toHaveLength(1);
  });

  test("is careful only then: the next one takes its rows for new again", async () => {
    const { fake, rehearsal, note } = parts();
    for (const id of ["a", "a", "b"]) await rehearsal.transact(fake.link, [], () => note.run(id, "1").changes);
    expect(fake.sent.slice(-2)).toEqual([STATEMENTS.note.sqlOfNew, "COMMIT"]);
  });
});

describe("nothing is committed", () => {
  test("of a step that does something else when it is begun anew", async () => {
    const { fake, rehearsal, used, setUsed } = parts();
    let begun = 0;
    const fickle = rehearsal.transact(fake.link, [], () => {
      setUsed.run("a", ++begun);
      used.get("a");
    });
    await expect(fickle).rejects.toThrow("a step did something else when it was begun anew");
    expect(fake.sent.at(-1)).toBe("ROLLBACK");
    expect(fake.tables()).toEqual([[], []]);
  });

  test("of a step that throws, and the next one begins with nothing of it", async () => {
    const { fake, rehearsal, used, setUsed } = parts();
    const failing = rehearsal.transact(fake.link, [], () => {
      setUsed.run("a", 1);
      used.get("a");
      throw new Error("a fault of the step");
    });
    await expect(failing).rejects.toThrow("a fault of the step");
    expect(await rehearsal.transact(fake.link, [askUsed("a")], () => used.get("a"))).toBeNull();
  });

  test("where the server answers COMMIT with ROLLBACK, and that is an error", async () => {
    const { fake, rehearsal, setUsed } = parts();
    fake.answersCommit = "ROLLBACK";
    const rolledBack = rehearsal.transact(fake.link, [], () => setUsed.run("a", 1).changes);
    await expect(rolledBack).rejects.toThrow("the server answered COMMIT with ROLLBACK");
    await expect(rolledBack).rejects.not.toBeInstanceOf(CommitInDoubt);
    expect(fake.tables()).toEqual([[], []]);
  });
});

test("a connection that breaks at COMMIT leaves the step in doubt, and is not used again", async () => {
  const { fake, rehearsal, setUsed } = parts();
  fake.answersCommit = "silence";
  await expect(rehearsal.transact(fake.link, [], () => void setUsed.run("a", 1))).rejects.toBeInstanceOf(CommitInDoubt);
  expect([fake.sent.at(-1), fake.link.isLost]).toEqual(["COMMIT", true]);
});

function parts() {
  const [fake, rehearsal] = [fakePostgres(), new Rehearsal()];
  return {
    fake,
    rehearsal,
    used: rehearsal.statement<unknown, [string]>(STATEMENTS.used),
    setUsed: rehearsal.statement<unknown, [string, number]>(STATEMENTS.setUsed),
    note: rehearsal.statement<unknown, [string, string]>(STATEMENTS.note),
  };
}

function askUsed(name: string): Ask {
  return { statement: STATEMENTS.used, args: [name] };
}

function asksOf(doings: readonly Doing[]): readonly Ask[] {
  return doings
    .filter(({ statement, isForeseen }) => isForeseen && "reads" in STATEMENTS[statement])
    .map(({ statement, row }) => ({ statement: STATEMENTS[statement], args: [row] }));
}

function counters(used: Readonly<Record<string, number>>): unknown {
  return Object.entries(used).map(([name, count]) => ({ name, used: count }));
}

function verbOf(sql: string): string {
  return sql.split(" ", 1)[0]!;
}
