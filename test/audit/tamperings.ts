import type { Database } from "bun:sqlite";
import { CHAIN_COLUMNS } from "../../src/audit/chain-columns.ts";
import type { Random } from "./random.ts";

/** What was done to a database, and which row must be named: any of these positions with its id, null for a row that is gone. */
export interface Tampering {
  readonly kind: string;
  readonly what: string;
  readonly first: readonly { readonly chainSeq: number; readonly id: string | null }[];
}

interface Row {
  readonly seq: bigint;
  readonly chain_seq: bigint;
  readonly id: string;
}

type Tamper = (database: Database, random: Random) => Tampering;

export function randomTampering(database: Database, random: Random): Tampering {
  return random.pick(TAMPERINGS)(database, random);
}

function rowsOf(database: Database): readonly Row[] {
  return database.query("SELECT seq, chain_seq, id FROM audit_rows ORDER BY chain_seq").all() as Row[];
}

/** The rows with these positions as they are now, by which they must be named. */
function named(database: Database, places: readonly bigint[], chainSeqs: readonly bigint[]): Tampering["first"] {
  const ids = places.map((seq) => {
    const row = database.query("SELECT id FROM audit_rows WHERE seq = ?").get(seq) as { id: string };
    return String(row.id);
  });
  return chainSeqs.flatMap((chainSeq) => ids.map((id) => ({ chainSeq: Number(chainSeq), id })));
}

const COLUMNS = [...CHAIN_COLUMNS.map(([name]) => name), "prev_hash", "hash"];

function flipBit(database: Database, random: Random): Tampering {
  const row = random.pick(rowsOf(database));
  const column = random.pick(COLUMNS);
  const { value, kind } = database
    .query(`SELECT ${column} AS value, typeof(${column}) AS kind FROM audit_rows WHERE seq = ?`)
    .get(row.seq) as { value: unknown; kind: string };
  // Two rows cannot have one place: only bits that no row has are flipped in it.
  const place = column === "seq" ? (value as bigint) ^ (bit(random, 54) << 8n) : row.seq;
  const written = column === "seq" ? place : flipped(value, kind, column, random);
  const bound = kind === "text" ? "CAST(? AS TEXT)" : "?";
  database.query(`UPDATE audit_rows SET ${column} = ${bound} WHERE seq = ?`).run(written as string, row.seq);
  const chainSeqs = column === "chain_seq" ? [row.chain_seq, written as bigint] : [row.chain_seq];
  return { kind: "flip", what: `a bit of ${column} at ${row.chain_seq}`, first: named(database, [place], chainSeqs) };
}

function bit(random: Random, below: number): bigint {
  return 1n << BigInt(random.below(below));
}

function flipped(value: unknown, kind: string, column: string, random: Random): unknown {
  if (kind === "integer") return (value as bigint) ^ bit(random, 62);
  if (kind === "real") return flippedReal(value as number, random);
  if (kind === "null") return CHAIN_COLUMNS.some(([name, type]) => name === column && type === "text") ? "" : 0;
  const bytes = kind === "text" ? Buffer.from(value as string) : Buffer.from(value as Uint8Array);
  if (bytes.length === 0) return Buffer.from("x");
  bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
  return bytes;
}

function flippedReal(value: number, random: Random): number {
  const words = new BigUint64Array(new Float64Array([value]).buffer);
  words[0]! ^= bit(random, 64);
  const [other] = new Float64Array(words.buffer);
  return Number.isNaN(other) ? 0.25 : other!;
}

/** Amounts, states and times as somebody would change them who wants a call to look otherwise. */
const UPDATES: readonly string[] = [
  "cost_micros = coalesce(cost_micros, 0) + 1",
  "cost_micros = NULL, state = 'released', chain_seq = chain_seq",
  "exposure_micros = exposure_micros - 1",
  "called_at = called_at + 86400000",
  "agent_run_label = 'somebody else'",
  "policy_verdict = 'key_revoked'",
  "charges = '[]'",
  "http_status = NULL, latency_ms = 1.0",
  "metadata = '{}'",
  "hash = randomblob(32)",
  "prev_hash = zeroblob(32), hash = zeroblob(32)",
];

function update(database: Database, random: Random): Tampering {
  const row = random.pick(rowsOf(database));
  const change = random.pick(UPDATES);
  database.query(`UPDATE audit_rows SET ${change} WHERE seq = ?`).run(row.seq);
  return { kind: "update", what: `${change} at ${row.chain_seq}`, first: named(database, [row.seq], [row.chain_seq]) };
}

function remove(database: Database, random: Random): Tampering {
  const rows = rowsOf(database);
  const begin = random.below(rows.length);
  const gone = rows.slice(begin, begin + 1 + random.below(3));
  for (const { seq } of gone) database.query("DELETE FROM audit_rows WHERE seq = ?").run(seq);
  const chainSeq = Number(gone[0]!.chain_seq);
  return { kind: "delete", what: `${gone.length} from ${chainSeq}`, first: [{ chainSeq, id: null }] };
}

/** A copy of a row with another id, at any place and position that there is, and some that there are not. */
function insert(database: Database, random: Random): Tampering {
  const rows = rowsOf(database);
  const seqs = new Set(rows.map(({ seq }) => seq));
  const model = random.pick(rows);
  let seq = BigInt(random.below(rows.length * 3) - 2);
  while (seqs.has(seq)) seq += 1n;
  const chainSeq = BigInt(random.below(Number(rows.at(-1)!.chain_seq) + 3));
  const id = `call_forged${random.below(1_000_000)}`;
  const columns = COLUMNS.filter((name) => !["seq", "chain_seq", "id"].includes(name)).join(", ");
  database
    .query(
      `INSERT INTO audit_rows (seq, chain_seq, id, ${columns}) SELECT ?, ?, ?, ${columns} FROM audit_rows WHERE seq = ?`,
    )
    .run(seq, chainSeq, id, model.seq);
  return { kind: "insert", what: `at ${chainSeq}, place ${seq}`, first: [{ chainSeq: Number(chainSeq), id }] };
}

const SWAPS: readonly (readonly string[])[] = [
  ["chain_seq"],
  ["id"],
  ["prev_hash", "hash"],
  ["chain_seq", "prev_hash", "hash"],
  COLUMNS.filter((name) => name !== "seq"),
  COLUMNS.filter((name) => name !== "seq" && name !== "chain_seq"),
  COLUMNS.filter((name) => !["seq", "chain_seq", "prev_hash", "hash"].includes(name)),
];

function swap(database: Database, random: Random): Tampering {
  const rows = rowsOf(database);
  const one = random.below(rows.length - 1);
  const other = one + 1 + random.below(rows.length - 1 - one);
  const [a, b] = [rows[one]!, rows[other]!];
  const columns = random.pick(SWAPS);
  const read = (seq: bigint) =>
    database.query(`SELECT ${columns.join(", ")} FROM audit_rows WHERE seq = ?`).values(seq)[0]!;
  const [ofA, ofB] = [read(a.seq), read(b.seq)];
  const write = (values: unknown[], seq: bigint) =>
    database
      .query(`UPDATE audit_rows SET ${columns.map((name) => `${name} = ?`).join(", ")} WHERE seq = ?`)
      .run(...(values as string[]), seq);
  write(ofB, a.seq);
  write(ofA, b.seq);
  // Whichever of the two stands at the lower position now.
  const first = database.query("SELECT seq FROM audit_rows WHERE chain_seq = ? LIMIT 1").get(a.chain_seq) as {
    seq: bigint;
  };
  return {
    kind: "swap",
    what: `${columns} of ${a.chain_seq} and ${b.chain_seq}`,
    first: named(database, [first.seq], [a.chain_seq]),
  };
}

/** The newest rows go, and the ledger says what it said before they came: only the checkpoint knows. */
function truncate(database: Database, random: Random): Tampering {
  const rows = rowsOf(database);
  const from = rows[1 + random.below(rows.length - 1)]!;
  const kept = Number(from.chain_seq) - 1;
  const cost = database.query("SELECT coalesce(sum(cost_micros), 0) AS cost FROM audit_rows WHERE chain_seq >= ?");
  const { cost: lost } = cost.get(from.chain_seq) as { cost: bigint };
  const tidy = random.below(4) > 0;
  if (tidy) {
    const { chain_cost: sum } = database.query("SELECT chain_cost FROM ledger_state").get() as { chain_cost: string };
    database
      .query(
        "UPDATE ledger_state SET chain_count = ?1, chain_hash = (SELECT hash FROM audit_rows WHERE chain_seq = ?1), chain_cost = ?2",
      )
      .run(kept, String(BigInt(sum) - lost));
  }
  database.query("DELETE FROM audit_rows WHERE chain_seq >= ?").run(from.chain_seq);
  return { kind: "truncate", what: `from ${from.chain_seq}, ${tidy}`, first: [{ chainSeq: kept + 1, id: null }] };
}

function head(database: Database, random: Random): Tampering {
  const { count } = database.query("SELECT chain_count AS count FROM ledger_state").get() as { count: bigint };
  const [change, chainSeq] = random.pick([
    ["chain_hash = randomblob(32)", Number(count)],
    ["chain_cost = chain_cost + 1", Number(count)],
    ["chain_cost = '0'", Number(count)],
    ["chain_count = chain_count + 5", Number(count) + 1],
  ] as const);
  database.run(`UPDATE ledger_state SET ${change}`);
  return { kind: "head", what: change, first: [{ chainSeq, id: null }] };
}

function segment(database: Database, random: Random): Tampering {
  const segments = database.query("SELECT first_chain_seq AS first FROM audit_segments ORDER BY 1").all() as {
    first: bigint;
  }[];
  const { first } = random.pick(segments);
  const change = random.pick([
    "cost = cost + 1",
    "sums = '[]'",
    "first_at = first_at - 1",
    "hash = randomblob(32)",
    "prev_hash = randomblob(32)",
    "seal = randomblob(32)",
    "last_chain_seq = last_chain_seq + 100",
    "first_chain_seq = first_chain_seq + 1",
    undefined,
  ]);
  if (change) database.query(`UPDATE audit_segments SET ${change} WHERE first_chain_seq = ?`).run(first);
  else database.query("DELETE FROM audit_segments WHERE first_chain_seq = ?").run(first);
  return { kind: "segment", what: `${change} at ${first}`, first: [{ chainSeq: Number(first), id: null }] };
}

const TAMPERINGS: readonly Tamper[] = [
  flipBit,
  flipBit,
  flipBit,
  flipBit,
  update,
  remove,
  insert,
  insert,
  swap,
  truncate,
  head,
  segment,
];
