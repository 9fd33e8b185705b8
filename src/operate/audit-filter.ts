import { CALL_STATES, type CallState } from "../core/hold.ts";
import { nearestName } from "../core/nearest.ts";
import { Problem } from "../core/problem.ts";
import { isVerdict, VERDICTS } from "../core/verdict.ts";
import { type EpochMs, parseDuration } from "../core/window.ts";
import type { AuditFilter } from "../store/store.ts";

/** A filter as texts, with the names that the API's query and the command line's flags have. */
export interface AuditFilterTexts {
  readonly run?: string | undefined;
  readonly label_contains?: string | undefined;
  readonly key_id?: string | undefined;
  readonly vendor?: string | undefined;
  readonly verdict?: string | undefined;
  readonly state?: string | undefined;
  readonly customer?: string | undefined;
  readonly triggering_event_id?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** @throws Problem `invalid` naming the field, what is allowed and what was given. */
export function readAuditFilter(texts: AuditFilterTexts, now: EpochMs): AuditFilter {
  const { run, vendor, customer } = texts;
  return defined({
    run,
    labelContains: texts.label_contains,
    keyId: texts.key_id,
    vendor,
    verdict: oneOf("verdict", texts.verdict, Object.keys(VERDICTS), isVerdict),
    state: oneOf("state", texts.state, CALL_STATES, isState),
    customer,
    triggeringEventId: texts.triggering_event_id,
    since: instant("since", texts.since, now),
    until: instant("until", texts.until, now),
  });
}

/** ISO 8601 with a zone, or a date alone, which is its first moment in UTC. */
const INSTANT = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** `24h` before now, `2026-01-31`, or `2026-01-31T12:00:00Z`. */
function instant(name: string, text: string | undefined, now: EpochMs): EpochMs | undefined {
  if (text === undefined) return undefined;
  if (/^\d+(?:ms|s|m|h|d)$/.test(text)) return now - duration(name, text);
  const at = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw new Problem(
    "invalid",
    `${name} must be a duration back from now (30m, 24h, 7d) or a time in ISO 8601, not ${JSON.stringify(text.slice(0, 60))}`,
    `write it like ${name}=24h or ${name}=2026-01-31T12:00:00Z`,
  );
}

function duration(name: string, text: string): number {
  try {
    return parseDuration(text);
  } catch (cause) {
    throw new Problem("invalid", `${name}: ${(cause as RangeError).message}`);
  }
}

function isState(text: string): text is CallState {
  return (CALL_STATES as readonly string[]).includes(text);
}

function oneOf<Value extends string>(
  name: string,
  text: string | undefined,
  known: readonly string[],
  isOne: (text: string) => text is Value,
): Value | undefined {
  if (text === undefined || isOne(text)) return text;
  const nearest = nearestName(text, known);
  const meant = nearest ? `did you mean ${nearest}?` : `it is one of ${known.join(", ")}`;
  throw new Problem("invalid", `${name} cannot be ${JSON.stringify(text.slice(0, 60))}; ${meant}`);
}

/** Without the fields that are undefined: an optional field is either there or not. */
function defined<Fields extends object>(fields: Fields): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: Exclude<Fields[Name], undefined>;
  };
}
