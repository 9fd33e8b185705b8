import { formatUsd, type Micros, parseUsd } from "../core/money.ts";
import type { Exposure, NoExposure, Operation, Scope } from "../vendors/vendor.ts";
import type { Warning } from "./cap-warnings.ts";
import { type Path, pathText, type Report, readUsd, shown } from "./field-values.ts";
import { isMap } from "./rule-values.ts";

/** What becomes of a call that may cost something nobody can tell beforehand; canonical, the default being `deny`. */
export type UnknownCostDocument = "deny" | "allow" | { readonly reserve_usd: string };

/** What such a call is held at; undefined where it is refused. 0 stands for `allow`: it is not counted at all. */
export type UnknownCostMicros = Micros | undefined;

const RESERVE_TEXT = /^reserve_usd ?= ?(.+)$/;

/** `deny`, `allow`, or `{ reserve_usd: 5 }`, which is `reserve_usd=5` where only text can be given. */
export function readUnknownCost(value: unknown, path: Path, report: Report): UnknownCostDocument | undefined {
  const text = typeof value === "string" ? value.trim() : undefined;
  if (text === "deny" || text === "allow") return text;
  const amountText = text === undefined ? undefined : RESERVE_TEXT.exec(text)?.[1];
  const given = amountText === undefined ? value : { reserve_usd: amountText };
  if (!isMap(given) || Object.keys(given).join() !== "reserve_usd") {
    report(path, `${pathText(path)} must be deny, allow or { reserve_usd: 5 }, not ${shown(value)}`);
    return undefined;
  }
  const at = [...path, "reserve_usd"];
  const usd = readUsd(given["reserve_usd"], at, report);
  if (usd === undefined) return undefined;
  if (parseUsd(usd) > 0n) return { reserve_usd: usd };
  report(at, `${pathText(at)} must be above 0, not ${shown(given["reserve_usd"])}; allow is what counts nothing`);
  return undefined;
}

/** A canonical value ready to judge with. */
export function unknownCostMicros(document: unknown): UnknownCostMicros {
  const value = (document ?? "deny") as UnknownCostDocument;
  if (value === "deny") return undefined;
  return value === "allow" ? 0n : parseUsd(value.reserve_usd);
}

/** `deny` refuses most and `allow` least; of two reserves the larger one is the tighter. */
export function narrowUnknownCost(base: unknown, given: unknown, sayWider: () => void): unknown {
  const [before, after] = [unknownCostMicros(base), unknownCostMicros(given)];
  if (after !== undefined && (before === undefined || after < before)) sayWider();
  return given;
}

/**
 * What a call is held at that its vendor's file cannot price, where the policy lets it in. It sends at least what its
 * recipients show: a cap on sends must not be passed by for want of a price.
 */
export function unpricedExposure(
  held: UnknownCostMicros,
  said: NoExposure,
  by: Operation,
  scope: Scope,
): Exposure | undefined {
  if (held === undefined || said.code !== "cost_unknown") return undefined;
  const sendsOne = by.kind === "message" || by.kind === "email" ? 1 : 0;
  const sends = Math.max(sendsOne, scope.recipients?.length ?? 0);
  return { ok: true, micros: held, sends, currency: undefined, source: "none", unpriced: true };
}

/** What `policy explain` says of the hold of such a call, after the amount. */
export function unpricedInWords({ micros }: Exposure): string {
  return micros === 0n
    ? " (on_unknown_cost: allow; nobody can say what it costs, and it is not counted)"
    : " (on_unknown_cost: nobody can say what it costs; counted in full unless the answer tells)";
}

/** `allow` lets money go that no cap counts; a reserve over the limit of one call lets nothing in. */
export function unknownCostWarnings(fields: Readonly<Record<string, unknown>>): Warning[] {
  const path = ["on_unknown_cost"];
  const value = readUnknownCost(fields["on_unknown_cost"] ?? "deny", path, () => {});
  if (value === undefined || value === "deny") return [];
  if (value === "allow") {
    return [
      {
        path,
        message:
          "on_unknown_cost: allow lets calls of unknown cost in that no cap in dollars counts, whatever they cost; reserve_usd counts an amount for each",
      },
    ];
  }
  const most = readUsd(fields["max_amount_per_call_usd"], path, () => {});
  if (most === undefined || parseUsd(value.reserve_usd) <= parseUsd(most)) return [];
  const reserved = formatUsd(parseUsd(value.reserve_usd));
  return [
    {
      path,
      message: `on_unknown_cost reserves $${reserved}, over the $${most} of max_amount_per_call_usd: calls of unknown cost are refused (amount_denied)`,
    },
  ];
}
