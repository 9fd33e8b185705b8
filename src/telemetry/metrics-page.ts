import { Counter, Gauge, Histogram as LibraryHistogram, Registry } from "prom-client";
import type { Histogram } from "./histogram.ts";

type Labels = Readonly<Record<string, string>>;
export type Row = readonly [labels: Labels, value: number];
type HistogramRow = readonly [labels: Labels, histogram: Histogram];

/** One scrape's metrics, put into words by Prometheus's client library. A metric without a row is left out. */
export class MetricsPage {
  readonly #registry = new Registry();

  counter(name: string, help: string, rows: readonly Row[]): void {
    if (rows.length === 0) return;
    const counter = new Counter({ name, help, labelNames: labelNames(rows), registers: [this.#registry] });
    for (const [labels, value] of rows) counter.inc(labels, value);
  }

  gauge(name: string, help: string, rows: readonly Row[]): void {
    if (rows.length === 0) return;
    const gauge = new Gauge({ name, help, labelNames: labelNames(rows), registers: [this.#registry] });
    for (const [labels, value] of rows) gauge.set(labels, value);
  }

  histogram(name: string, help: string, rows: readonly HistogramRow[]): void {
    if (rows.length > 0) this.#registry.registerMetric(new TalliedHistogram(name, help, rows));
  }

  /** In the text format, version 0.0.4. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

function labelNames(rows: readonly (readonly [Labels, unknown])[]): string[] {
  return Object.keys(rows[0]?.[0] ?? {});
}

/** A histogram of the library's with our counts: by itself it takes observations one by one only. */
class TalliedHistogram extends LibraryHistogram {
  readonly #name: string;
  readonly #help: string;
  readonly #rows: readonly HistogramRow[];

  constructor(name: string, help: string, rows: readonly HistogramRow[]) {
    super({ name, help, labelNames: labelNames(rows), registers: [] });
    this.#name = name;
    this.#help = help;
    this.#rows = rows;
  }

  /** What a registry, and the histogram's own `get`, ask for. */
  async getForPromString() {
    const values = this.#rows.flatMap(([labels, histogram]) => series(this.#name, labels, histogram));
    return { name: this.#name, help: this.#help, type: "histogram", values, aggregator: "sum" };
  }
}

function series(name: string, sharedLabels: Labels, { bounds, counts, sum }: Histogram) {
  let upTo = 0;
  const buckets = [...bounds.map(String), "+Inf"].map((le, place) => {
    upTo += counts[place]!;
    return { metricName: `${name}_bucket`, labels: { le }, sharedLabels, value: upTo };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: {}, sharedLabels, value: sum },
    { metricName: `${name}_count`, labels: {}, sharedLabels, value: upTo },
  ];
}
