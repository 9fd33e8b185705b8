/** What a page in Prometheus's text format says, read strictly: whatever its rules do not allow throws. */
export interface MetricsText {
  /** By name and labels as they are written: `keybrake_calls_total{vendor="stripe",verdict="allowed"}`. */
  readonly series: ReadonlyMap<string, number>;
  /** By name. */
  readonly types: ReadonlyMap<string, string>;
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABELS = /^(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"(?:,|$))*$/;
const TYPES = new Set(["counter", "gauge", "histogram"]);

/** @throws Error that quotes the line which breaks a rule of the format (prometheus.io/docs/instrumenting/exposition_formats). */
export function readMetrics(text: string): MetricsText {
  const series = new Map<string, number>();
  const types = new Map<string, string>();
  const described = new Set<string>();
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  for (const line of text.split("\n")) {
    const refuse = (why: string) => new Error(`${why}: ${line}`);
    if (line === "") continue;
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment) {
      const [, what, name, rest] = comment as unknown as [string, string, string, string];
      const known = what === "HELP" ? described.has(name) : types.has(name);
      if (known) throw refuse("said twice");
      if (what === "HELP") described.add(name);
      else if (TYPES.has(rest)) types.set(name, rest);
      else throw refuse("no type");
      continue;
    }
    const sample = SAMPLE.exec(line);
    if (!sample) throw refuse("no sample");
    const [, name = "", labels = "", value = ""] = sample;
    const metric = types.has(name) ? name : name.replace(/_(?:bucket|sum|count)$/, "");
    if (!types.has(metric) || !described.has(metric)) throw refuse("not described before");
    if (!LABELS.test(labels)) throw refuse("labels that are none");
    const at = line.slice(0, line.lastIndexOf(" "));
    if (series.has(at)) throw refuse("told twice");
    if (!Number.isFinite(Number(value))) throw refuse("no number");
    series.set(at, Number(value));
  }
  return { series, types };
}

/** Each metric's name with the number of its series. */
export function seriesPerMetric({ series }: MetricsText): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const at of series.keys()) {
    const name = at.split("{", 1)[0]!;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
