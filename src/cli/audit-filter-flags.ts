import { type Command, Option } from "commander";
import { CALL_STATES, type CallState } from "../core/hold.ts";
import { nearestName } from "../core/nearest.ts";
import { Problem } from "../core/problem.ts";
import { isVerdict, VERDICTS, type Verdict } from "../core/verdict.ts";
import { type EpochMs, parseDuration } from "../core/window.ts";
import type { AuditFilter } from "../store/store.ts";
import { given } from "./policy-flags.ts";

export interface AuditFilterFlags {
  readonly run?: string;
  readonly labelContains?: string;
  readonly key?: string;
  readonly vendor?: string;
  readonly verdict?: string;
  readonly state?: CallState;
  readonly customer?: string;
  readonly event?: string;
  readonly since?: string;
  readonly until?: string;
}

/** The flags that say which rows. */
export function addAuditFilterFlags(command: Command): Command {
  return command
    .option("--run <label>", "only calls of this run")
    .option("--label-contains <text>", "only calls of keys with this in their run label")
    .option("--key <id>", "only calls with this vault key (its id, vk_…)")
    .option("--vendor <name>", "only calls to this vendor")
    .option("--verdict <verdict>", "only calls with this verdict, such as cap_exceeded")
    .addOption(new Option("--state <state>", "only calls in this state").choices(CALL_STATES))
    .option("--customer <id>", "only calls that concern this customer of the vendor's")
    .option("--event <id>", "only calls that this event triggered (X-Triggering-Event-Id)")
    .option("--since <time>", "only calls since then: 24h, 7d, or 2026-01-31T08:00:00Z")
    .option("--until <time>", "only calls before then");
}

/** @throws Problem `usage` naming the flag and what was given. */
export function readAuditFilterFlags(flags: AuditFilterFlags, now: EpochMs): AuditFilter {
  return {
    ...given("run", flags.run),
    ...given("labelContains", flags.labelContains),
    ...given("keyId", flags.key),
    ...given("vendor", flags.vendor),
    ...given("verdict", flags.verdict === undefined ? undefined : readVerdict(flags.verdict)),
    ...given("state", flags.state),
    ...given("customer", flags.customer),
    ...given("triggeringEventId", flags.event),
    ...given("since", flags.since === undefined ? undefined : readTime("--since", flags.since, now)),
    ...given("until", flags.until === undefined ? undefined : readTime("--until", flags.until, now)),
  };
}

function readVerdict(text: string): Verdict {
  if (isVerdict(text)) return text;
  const names = Object.keys(VERDICTS);
  const nearest = nearestName(text, names);
  const hint = nearest ? `did you mean ${nearest}?` : `the verdicts are ${names.join(", ")}`;
  throw new Problem("usage", `${JSON.stringify(text)} is no verdict`, hint);
}

/** A date, or a date and time; without a zone it is UTC, like every time that Keybrake prints. */
const ISO_TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:?\d{2})?)?$/;

/** `24h` is that long ago. */
export function readTime(flag: string, text: string, now: EpochMs): EpochMs {
  const [, date, time = "00:00", zone = "Z"] = ISO_TIME.exec(text) ?? [];
  if (date !== undefined) {
    const at = Date.parse(`${date}T${time}${zone}`);
    if (!Number.isNaN(at)) return at;
  }
  try {
    return now - parseDuration(text);
  } catch {
    throw new Problem(
      "usage",
      `${flag} is ${JSON.stringify(text)}; it must be how long ago, or a time in UTC`,
      "like 30m, 24h, 7d, 2026-01-31 or 2026-01-31T08:00:00Z",
    );
  }
}
