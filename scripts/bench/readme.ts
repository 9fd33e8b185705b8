/**
 * `bun scripts/bench/readme.ts [--readme FILE] [--results FILE]`: writes the figures of results.json into the README,
 * between its two marks.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { figureText, numberText, RESULTS, type Results, targetText } from "./report.ts";
import type { Row, Table } from "./section.ts";

const BEGIN = "<!-- bench -->";
const END = "<!-- /bench -->";
/** The table of the README; the others are in the results file. */
const SHOWN_TABLE = "peers";

const { values } = parseArgs({
  options: {
    readme: { type: "string", default: join(import.meta.dir, "../../README.md") },
    results: { type: "string", default: RESULTS },
  },
});
const before = readFileSync(values.readme, "utf8");
const [from, to] = [before.indexOf(BEGIN), before.indexOf(END)];
if (from === -1 || to < from) throw new Error(`${values.readme} has no ${BEGIN} … ${END}`);
const block = blockOf(JSON.parse(readFileSync(values.results, "utf8")) as Results);
writeFileSync(values.readme, `${before.slice(0, from)}${BEGIN}\n\n${block}\n\n${before.slice(to)}`);

function blockOf({ machine, sections }: Results): string {
  const all = Object.values(sections);
  const rows = all.flatMap((section) => section.rows);
  const judged = rows.filter(({ target }) => target !== null);
  const count = (wanted: boolean | null) => judged.filter(({ reached }) => reached === wanted).length;
  const others = [
    ...(count(false) > 0 ? [`${count(false)} not`] : []),
    ...(count(null) > 0 ? [`${count(null)} left out`] : []),
  ];
  const peers = all.flatMap(({ tables }) => tables).find(({ name }) => name === SHOWN_TABLE);
  const quick = all.some((section) => section.quick)
    ? " Some sizes were those of a first look: the figures mean little."
    : "";
  return [
    `One run on ${machine.cores} cores (${machine.model}), load generator and upstream on the same cores; medians.${quick}`,
    ...(peers ? ["At 32 connections:", markdownTable(peers)] : []),
    `Of ${judged.length} targets ${[`${count(true)} are reached`, ...others].join(", ")}:`,
    markdownTable({ name: "targets", columns: ["measure", "figure", "target", "reached"], rows: judged.map(cellsOf) }),
    "What bounds them, and where the time goes, is in [scripts/bench](scripts/bench/README.md).",
  ].join("\n\n");
}

function cellsOf(row: Row): string[] {
  const reached = row.figure === null ? `left out: ${row.note ?? "no reason given"}` : row.reached ? "yes" : "**no**";
  return [row.measure, figureText(row), targetText(row.target), reached];
}

function markdownTable({ columns, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`.replace("|  |", "| |");
  const shown = rows.map((row) => row.map((value) => (value === null ? "-" : numberText(value))));
  return [line(columns), line(columns.map(() => "---")), ...shown.map(line)].join("\n");
}
