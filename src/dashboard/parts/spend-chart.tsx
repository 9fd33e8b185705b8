import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { useCell } from "../cell.ts";
import { colours, darkness } from "../colours.ts";
import { dollars } from "../format.ts";
import type { SpendColumns } from "../spend.ts";
import { theme } from "../theme.ts";
import { ChartHour } from "./chart-hour.tsx";

const HEIGHT_PX = 220;

/** Dollars per hour, a bar an hour, the vendors one upon the other. */
export function SpendChart({ columns }: { readonly columns: SpendColumns }) {
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(null);
  const [at, setAt] = useState<number | null>(null);
  const worn = useCell(theme);
  const isDark = useCell(darkness);
  const names = columns.vendors.map(({ vendor }) => vendor).join("\n");
  useEffect(() => {
    const element = frame.current!;
    const made = new uPlot(options(element, columns, setAt), stacked(columns), element);
    chart.current = made;
    const sizes = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    sizes.observe(element);
    return () => {
      sizes.disconnect();
      made.destroy();
    };
  }, [names, worn, isDark]);
  useEffect(() => chart.current?.setData(stacked(columns)), [columns]);
  return (
    <div class="chart">
      <div ref={frame} class="chart-frame" role="img" aria-label={summary(columns)} />
      <ChartHour columns={columns} index={at} />
    </div>
  );
}

function summary({ hours, vendors }: SpendColumns): string {
  const parts = vendors.map(({ vendor, total }) => `${vendor} ${dollars(total.toFixed(2))}`);
  return `Dollars per hour over the last ${hours.length} hours: ${parts.length === 0 ? "no call" : parts.join(", ")}`;
}

/** Each vendor on top of those after it; the tallest is drawn first, and the others over it. */
function stacked({ hours, vendors }: SpendColumns): uPlot.AlignedData {
  const sums = vendors.map((_, index) =>
    hours.map((_, hour) => vendors.slice(index).reduce((sum, { perHour }) => sum + perHour[hour]!, 0)),
  );
  return [[...hours], ...(sums.length === 0 ? [hours.map(() => 0)] : sums)];
}

function options(
  element: HTMLElement,
  { vendors }: SpendColumns,
  onHour: (index: number | null) => void,
): uPlot.Options {
  const { series, text, line } = colours(element);
  const bars = uPlot.paths.bars!({ size: [0.75, 40], align: 1, radius: 0.12 });
  const drawn = (vendors.length === 0 ? [{ vendor: "none" }] : vendors).map(({ vendor }, index) => ({
    label: vendor,
    fill: series[index % series.length]!,
    width: 0,
    paths: bars,
    points: { show: false },
  }));
  const font = "12px system-ui, sans-serif";
  const axis = { stroke: text, font, ticks: { show: false } };
  return {
    width: element.clientWidth,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false, x: false, y: false }, points: { show: false } },
    padding: [12, 8, 0, 0],
    // The audit and the caps count in UTC, and so does the chart.
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.1, 1)] } },
    axes: [
      { ...axis, size: 28, grid: { show: false }, values: hourNames },
      {
        ...axis,
        size: 64,
        grid: { stroke: line, width: 1 },
        values: (_, values) => values.map((value) => dollars(String(value))),
      },
    ],
    series: [{}, ...drawn],
    hooks: { setCursor: [(made) => onHour(made.cursor.idx ?? null)] },
  };
}

/** `14:00`, and the day where one begins. */
function hourNames(_: uPlot, seconds: number[]): string[] {
  return seconds.map((each) => {
    const text = new Date(each * 1000).toISOString();
    return text.slice(11, 16) === "00:00" ? text.slice(5, 10) : text.slice(11, 16);
  });
}
