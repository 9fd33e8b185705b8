/** A call as its client knows it. */
export interface SentCall {
  /** Unique; it stands on the row as `triggering_event_id`, and in the body that the vendor gets. */
  readonly event: string;
  readonly cents: number;
  /** Undefined where the connection broke before an answer. */
  readonly status: number | undefined;
}

/** A call as the vendor saw it. */
export interface VendorCall {
  readonly event: string;
  /** From the derived idempotency key: the id of the row. */
  readonly callId: string;
  readonly cents: number;
}

/** An audit row, as the API and `audit --json` show it. */
export interface AuditedCall {
  readonly id: string;
  readonly state: string;
  readonly policy_verdict: string;
  readonly exposure_usd: string;
  readonly cost_usd: string | null;
  readonly triggering_event_id: string | null;
  readonly refers_to?: string | null;
}

/** All that is known of one key. */
export interface KeyEvidence {
  readonly capUsd: number;
  readonly usedUsd: number;
  readonly rows: readonly AuditedCall[];
  readonly sent: readonly SentCall[];
  readonly seen: readonly VendorCall[];
}

const COUNTED: ReadonlySet<string> = new Set(["held", "settled", "unresolved"]);

/** What contradicts the ledger's promises (docs/assurance.md); none where all is well. */
export function ledgerViolations(evidence: KeyEvidence): string[] {
  const calls = evidence.rows.filter((row) => (row.refers_to ?? null) === null);
  return [
    ...repeated(calls.map((row) => row.triggering_event_id ?? row.id)).map((event) => `${event} has more than one row`),
    ...repeated(evidence.seen.map(({ event }) => event)).map((event) => `the vendor saw ${event} more than once`),
    ...evidence.seen.flatMap((seen) => unheld(seen, calls)),
    ...evidence.sent.flatMap((call) => misanswered(call, calls, evidence.seen)),
    ...counterViolations(evidence, calls),
  ];
}

function repeated(names: readonly string[]): string[] {
  const known = new Set<string>();
  return names.filter((name) => known.size === known.add(name).size);
}

/** Every call that the vendor saw has its row, and its hold is kept. */
function unheld(seen: VendorCall, rows: readonly AuditedCall[]): string[] {
  const row = rows.find(({ id }) => id === seen.callId);
  if (!row) return [`the vendor saw ${seen.event} (${seen.callId}), and there is no row of it`];
  const wrong: string[] = [];
  if (row.triggering_event_id !== seen.event) wrong.push(`the row ${row.id} is not of ${seen.event}`);
  if (!COUNTED.has(row.state)) wrong.push(`the vendor saw ${seen.event}, and its hold is ${row.state}`);
  if (cents(row.exposure_usd) !== seen.cents)
    wrong.push(`${seen.event} of ${seen.cents} cents holds $${row.exposure_usd}`);
  if (row.state === "settled" && cents(row.cost_usd ?? "0") !== seen.cents) {
    wrong.push(`${seen.event} cost ${seen.cents} cents and is settled at $${row.cost_usd}`);
  }
  return wrong;
}

/** What the client was told is what the ledger says. */
function misanswered(call: SentCall, rows: readonly AuditedCall[], seen: readonly VendorCall[]): string[] {
  if (call.status === undefined) return [];
  const row = rows.find(({ triggering_event_id }) => triggering_event_id === call.event);
  const wasSeen = seen.some(({ event }) => event === call.event);
  if (call.status === 200) {
    if (!row) return [`${call.event} was answered 200, and there is no row of it`];
    return COUNTED.has(row.state) ? [] : [`${call.event} was answered 200, and its row is ${row.state}`];
  }
  if (wasSeen && call.status < 500) return [`${call.event} was answered ${call.status}, and the vendor saw it`];
  if (call.status === 503) return wasSeen ? [`${call.event} was answered 503, and the vendor saw it`] : [];
  if (call.status === 429 && row?.state !== "refused")
    return [`${call.event} was refused, and its row is ${row?.state}`];
  return [];
}

function counterViolations({ capUsd, usedUsd, seen }: KeyEvidence, rows: readonly AuditedCall[]): string[] {
  const counted = rows.filter(({ state }) => COUNTED.has(state));
  const rowsCents = counted.reduce((sum, row) => sum + cents(row.cost_usd ?? row.exposure_usd), 0);
  const seenCents = seen.reduce((sum, call) => sum + call.cents, 0);
  const wrong: string[] = [];
  if (cents(String(usedUsd)) !== rowsCents) wrong.push(`the counter says $${usedUsd}, the rows say ${rowsCents} cents`);
  if (seenCents > capUsd * 100) wrong.push(`the vendor was asked for ${seenCents} cents on a cap of $${capUsd}`);
  if (rowsCents > capUsd * 100) wrong.push(`${rowsCents} cents are counted on a cap of $${capUsd}`);
  return wrong;
}

function cents(usd: string): number {
  return Math.round(Number(usd) * 100);
}
