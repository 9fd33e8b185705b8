/** `$1,234.50` of the API's decimal text: digits are moved, never counted with. */
export function dollars(text: string): string {
  const [, sign = "", whole = "", fraction = ""] = /^(-?)(\d+)(\.\d+)?$/.exec(text) ?? [];
  if (whole === "") return text;
  return `${sign}$${whole.replace(/\B(?=(?:\d{3})+$)/g, ",")}${fraction}`;
}

/** A count with its thousands apart. */
export function count(value: number | string): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** `1 call`, `12 calls`. */
export function counted(value: number, thing: string): string {
  return `${count(value)} ${thing}${value === 1 ? "" : "s"}`;
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
] as const;

/** The two largest units of a time, as in `1 h 59 min`. */
export function span(durationMs: number): string {
  const first = UNITS.findIndex(([, unitMs]) => durationMs >= unitMs);
  if (first === -1) return "0 s";
  const [name, unitMs] = UNITS[first]!;
  const whole = Math.floor(durationMs / unitMs);
  const next = UNITS[first + 1];
  const rest = next && Math.floor((durationMs % unitMs) / next[1]);
  return next && rest ? `${whole} ${name} ${rest} ${next[0]}` : `${whole} ${name}`;
}

/** How long ago, in its largest unit. */
export function ago(at: number, now: number): string {
  const passedMs = now - at;
  if (passedMs < 5000) return "just now";
  const [name, unitMs] = UNITS.find(([, each]) => passedMs >= each)!;
  return `${Math.floor(passedMs / unitMs)} ${name} ago`;
}

/** `2026-01-31 12:00:05 UTC`: the audit, the caps and the command line count in UTC. */
export function absolute(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;
}

/** The name of a verdict or a field, for people. */
export function words(name: string): string {
  return name.replaceAll("_", " ");
}
