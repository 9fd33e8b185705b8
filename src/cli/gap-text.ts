import { formatUsd } from "../core/money.ts";
import type { EpochMs } from "../core/window.ts";
import type { Frozen, Lost } from "../store/backup-report.ts";
import type { Voice } from "./voice.ts";
import { counted, dollars, facts, fromNow, shortTime } from "./wording.ts";

/** What an operator has to know before keys spend again: what the database cannot know, and what it has forgotten. */
export function sayGap(voice: Voice, { since, why, lost }: Frozen, now: EpochMs): void {
  const from = new Date(since).toISOString();
  const pairs: [string, string][] = [
    ["reason", why],
    ["the gap", `from ${shortTime(from)} UTC (${fromNow(from, now)}) until now: nothing of it is known here`],
  ];
  if (lost) pairs.push(...lostPairs(lost));
  else pairs.push(["went out", "unknown: look at the vendors' own dashboards for that time"]);
  voice.noteRaw(`${facts(pairs)}\n`);
}

function lostPairs({ calls, spentMicros, revokedKeys, revokedTokens, brakes, keptAt }: Lost): [string, string][] {
  const pairs: [string, string][] = [
    [
      "went out",
      `${counted(calls, "call")} of at most ${dollars(formatUsd(spentMicros))}, which no cap counts any more`,
    ],
  ];
  if (revokedKeys.length > 0) pairs.push(["work again", `revoked keys: keybrake key revoke ${revokedKeys.join(" ")}`]);
  if (revokedTokens.length > 0) pairs.push(["work again", `revoked control tokens: ${revokedTokens.join(" ")}`]);
  if (brakes > 0)
    pairs.push(["gone", `${counted(brakes, "brake")} that ${brakes === 1 ? "was" : "were"} engaged since`]);
  pairs.push(["kept", keptAt]);
  return pairs;
}

/** The same for `--json`. */
export function gapView({ since, why, lost }: Frozen): Record<string, unknown> {
  return {
    since: new Date(since).toISOString(),
    why,
    lost: lost
      ? {
          calls: lost.calls,
          spent_usd: formatUsd(lost.spentMicros),
          revoked_keys: lost.revokedKeys,
          revoked_tokens: lost.revokedTokens,
          brakes: lost.brakes,
          kept_at: lost.keptAt,
        }
      : null,
  };
}
