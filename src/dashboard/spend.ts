import type { SpendReportView, SpendSumsView } from "../operate/spend-verbs.ts";
import { ask } from "./client.ts";

/** Of what was spent on one vendor within one hour, what is drawn. */
export interface SpentHour {
  readonly hour: string;
  readonly vendor: string | null;
  readonly calls: number;
  readonly total_usd: string;
}

export interface Spend {
  readonly rows: readonly SpentHour[];
  readonly total: SpendSumsView;
}

/** Hours by vendor, drawn one upon the other. */
export interface SpendColumns {
  /** Beginnings of the hours, in seconds since 1970, every hour once. */
  readonly hours: readonly number[];
  /** The one that spent most first. */
  readonly vendors: readonly VendorColumn[];
}

export interface VendorColumn {
  readonly vendor: string;
  /** In dollars, for drawing only. */
  readonly total: number;
  readonly calls: number;
  readonly perHour: readonly number[];
}

/** More than the hours of a week times the vendors that anybody has. */
const ROWS_MAX = "10000";

const HOUR_S = 3600;

export async function loadSpend(since: string, signal: AbortSignal): Promise<Spend> {
  const query = { by: "hour", split: "vendor", since, limit: ROWS_MAX };
  const { rows, total } = await ask<SpendReportView>("GET", "/spend", { query, signal });
  return { rows: rows.map((row) => ({ ...row, hour: String(row["hour"]), vendor: row.vendor ?? null })), total };
}

/** Every hour of the answer's rows with those between that had no call, up to now. */
export function spendColumns(rows: readonly SpentHour[], hoursShown: number, now: number): SpendColumns {
  const last = Math.floor(now / 1000 / HOUR_S) * HOUR_S;
  const hours = Array.from({ length: hoursShown }, (_, index) => last - (hoursShown - 1 - index) * HOUR_S);
  const names = [...new Set(rows.map(vendorOf))];
  const columns = names.map((vendor) => {
    const own = rows.filter((row) => vendorOf(row) === vendor);
    const at = new Map(own.map((row) => [Date.parse(row.hour) / 1000, Number(row.total_usd)]));
    const perHour = hours.map((hour) => at.get(hour) ?? 0);
    return {
      vendor,
      perHour,
      total: own.reduce((sum, row) => sum + Number(row.total_usd), 0),
      calls: own.reduce((sum, row) => sum + row.calls, 0),
    };
  });
  return { hours, vendors: columns.sort((a, b) => b.total - a.total || b.calls - a.calls) };
}

function vendorOf({ vendor }: SpentHour): string {
  return vendor ?? "none";
}
