import type { EpochMs } from "../core/window.ts";
import { BASELINE, baselineBefore, familyOf, HOUR_MS, meanText } from "../operate/auto-revoke-counts.ts";
import { type AutoRevokeRule, autoRevokeRules, type TimedRule } from "../policy/auto-revoke.ts";
import type { AlertRow, TrippedRule } from "../store/alert-queue.ts";
import type { AutoRevocation, RevokeFindings } from "../store/auto-revokes.ts";
import type { Store, VaultKeyRecord } from "../store/store.ts";
import { Tallies } from "./tallies.ts";

/** A row that comes later than another of an earlier time does, so much later at most, still finds what counted then. */
const LATE_MS = 60_000;

type Tripped = Omit<TrippedRule, "rule" | "limit" | "within">;
type Row = Pick<AlertRow, "id" | "refersTo" | "calledAt" | "finishedAt" | "policyVerdict" | "httpStatus" | "flag">;

/**
 * What rows that no rule has seen give rise to. Judged by what is stored and these rows alone, so that it does not matter
 * who does it, nor that a slice is judged again after a crash.
 */
export async function judgeRevocations(
  store: Pick<Store, "alertTallies" | "getKey">,
  rows: readonly AlertRow[],
): Promise<Omit<RevokeFindings, "at">> {
  const tallies = new Tallies(store);
  const aged: RevokeFindings["aged"][number][] = [];
  const revocations: AutoRevocation[] = [];
  for (const [keyId, ofKey] of Map.groupBy(rows, ({ vaultKeyId }) => vaultKeyId)) {
    const key = await store.getKey(keyId);
    const rules = key && key.revokedAt === null ? autoRevokeRules(key.policy["auto_revoke"]) : [];
    if (!key || rules.length === 0) continue;
    await count(tallies, key, rules, ofKey);
    const revocation = await firstTripped(tallies, key, rules, ofKey);
    if (revocation) revocations.push(revocation);
    aged.push(...agedOf(keyId, rules, ofKey));
  }
  return { tallies: tallies.added(), aged, revocations };
}

/** Whether the row counts towards `cap_hits` or `vendor_errors`. */
export function countsTowards(rule: TimedRule, { refersTo, policyVerdict, httpStatus, flag }: Row): boolean {
  if (refersTo !== null) return false;
  if (rule === "cap_hits") return policyVerdict === "cap_exceeded";
  // What Keybrake itself has broken off is no word of the vendor's, and an answer from the record is none of today.
  if (flag === "aborted" || flag === "owner_gone" || flag?.startsWith("replays:")) return false;
  if (policyVerdict === "upstream_timeout" || policyVerdict === "upstream_unreachable") return true;
  return policyVerdict === "allowed" && httpStatus !== null && httpStatus >= 400;
}

/** Each row once, however many rules count it. */
async function count(tallies: Tallies, key: VaultKeyRecord, rules: readonly AutoRevokeRule[], rows: readonly Row[]) {
  for (const name of new Set(rules.map((rule) => rule.name))) {
    if (name === "requests_over_baseline") {
      await countCalls(tallies, key, rows);
      continue;
    }
    for (const row of rows) {
      if (countsTowards(name, row)) tallies.add(name, key.id, row.finishedAt, 1n, row.finishedAt);
    }
  }
}

async function countCalls(tallies: Tallies, key: VaultKeyRecord, rows: readonly Row[]): Promise<void> {
  const family = familyOf(key);
  for (const [hour, calls] of byHour(rows)) {
    const isFirst = !(await tallies.slots("calls", key.id, hour)).has(hour);
    const amount = BigInt(calls.length);
    if (isFirst) tallies.add("family_hours", family, hour, 1n, hour);
    tallies.add("family_calls", family, hour, amount, hour);
    tallies.add("calls", key.id, hour, amount, hour);
  }
}

/** Calls by the hour of the clock that they came in, whatever became of them. */
function byHour(rows: readonly Row[]): ReadonlyMap<EpochMs, readonly Row[]> {
  const own = rows.filter(({ refersTo }) => refersTo === null);
  return Map.groupBy(own, ({ calledAt }) => calledAt - (calledAt % HOUR_MS));
}

async function firstTripped(
  tallies: Tallies,
  key: VaultKeyRecord,
  rules: readonly AutoRevokeRule[],
  rows: readonly Row[],
): Promise<AutoRevocation | undefined> {
  for (const rule of rules) {
    const { name, limit, within = null } = rule;
    const found =
      name === "requests_over_baseline"
        ? await overBaseline(tallies, key, limit, rows)
        : await overLimit(tallies, key.id, { ...rule, name }, rows);
    if (!found) continue;
    const tripped: TrippedRule = { rule: name, limit, within, ...found };
    return { keyId: key.id, reason: reasonOf(key, tripped), tripped };
  }
  return undefined;
}

/** The first row with which so many counted at once; what counted at `t` does until just before `t` + within. */
async function overLimit(
  tallies: Tallies,
  keyId: string,
  { name, limit, withinMs }: Pick<AutoRevokeRule, "limit" | "withinMs"> & { readonly name: TimedRule },
  rows: readonly Row[],
): Promise<Tripped | undefined> {
  const fresh = rows.filter((row) => countsTowards(name, row)).toSorted((a, b) => a.finishedAt - b.finishedAt);
  if (fresh.length === 0) return undefined;
  const slots = [...(await tallies.slots(name, keyId, fresh[0]!.finishedAt - withinMs))].sort(([a], [b]) => a - b);
  let counted = 0n;
  let oldest = 0;
  for (const [at, amount] of slots) {
    counted += amount;
    for (; slots[oldest]![0] <= at - withinMs; oldest++) counted -= slots[oldest]![1];
    if (counted < BigInt(limit)) continue;
    const last = fresh.findLast(({ finishedAt }) => finishedAt <= at) ?? fresh[0]!;
    return { value: Number(counted), baseline: null, call_id: last.id };
  }
  return undefined;
}

async function overBaseline(
  tallies: Tallies,
  key: VaultKeyRecord,
  factor: number,
  rows: readonly Row[],
): Promise<Tripped | undefined> {
  for (const [hour, calls] of byHour(rows)) {
    const made = (await tallies.slots("calls", key.id, hour)).get(hour) ?? 0n;
    const before = await baselineBefore((...asked) => tallies.slots(...asked), familyOf(key), hour);
    if (before.keyHours < BASELINE.keyHoursMin || made < BASELINE.callsMin) continue;
    // Compared as calls × hours, so that no mean is rounded.
    if (made * before.keyHours <= BigInt(factor) * before.calls) continue;
    return { value: Number(made), baseline: meanText(before), call_id: calls.at(-1)!.id };
  }
  return undefined;
}

function agedOf(keyId: string, rules: readonly AutoRevokeRule[], rows: readonly Row[]): RevokeFindings["aged"] {
  const newest = Math.max(...rows.map(({ finishedAt }) => finishedAt));
  const timed = Map.groupBy(rules, ({ name }) => name);
  return [...timed].flatMap(([name, of]) => {
    if (name === "requests_over_baseline") return [];
    const withinMs = Math.max(...of.map((rule) => rule.withinMs));
    return [{ kind: name, subject: keyId, before: newest - withinMs - LATE_MS }];
  });
}

/** Rule, limit, value, and the call with which it was reached: the agent and the operator read it. */
function reasonOf(
  { template }: VaultKeyRecord,
  { rule, limit, within, value, baseline, call_id }: TrippedRule,
): string {
  const last = `the last was ${call_id}`;
  if (within !== null) return `auto_revoke: ${value} ${rule} within ${within}, the limit is ${limit}; ${last}`;
  const of = template === null ? "this key" : `the template ${template}`;
  return `auto_revoke: ${rule}: ${value} calls in an hour, the limit is ${limit}x the ${baseline} of a mean hour of ${of}; ${last}`;
}
