import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { SpendReportView, SpendRequest } from "../../src/operate/spend-verbs.ts";
import { recordSpend } from "./record-spend.ts";
import { PLACES, Terminal } from "./terminal.ts";
import { Transcript } from "./transcript.ts";

describe.each(PLACES)("%s", (place) => {
  let terminal: Terminal;
  beforeEach(() => {
    terminal = new Terminal(place);
  });
  afterEach(() => terminal.close());

  test("reports of spending read as the golden transcript says", async () => {
    const transcript = new Transcript(terminal);
    await transcript.type("spend");
    await recordSpend(terminal);
    await transcript.type("spend");
    await transcript.type("spend --by agent --split vendor --since 30d --project");
    await transcript.type("spend --by label:2 --since 30d --format csv");
    await transcript.type("spend --by endpoint --since 24h --vendor stripe");
    await transcript.type("spend --by day --since 4d --limit 3");
    await transcript.type("spend --by hour --run tenant:acme:billing:run-1 --since 8h --anomalies");
    await transcript.type("spend --by vendor --since 2h --json");
    await transcript.type("spend --since 2h --until 1h --anomalies");
    await transcript.type("spend --by runs");
    await transcript.type("spend --by label:x");
    await transcript.type("spend --since 1h --until 2h");
    await transcript.type("spend --since whenever");
    transcript.expectGolden("spend");
  }, 30_000);
});

test("on a terminal there are bars and the trend, within its width, and in a pipe there are none", async () => {
  const terminal = new Terminal();
  try {
    await recordSpend(terminal);
    const shown = await terminal.run(["spend", "--since", "10d"], "", { columns: 72, environment: { NO_COLOR: "1" } });
    expect(shown.out).toContain("█");
    expect(shown.out).toMatch(/spent by day: [▁▂▃▄▅▆▇█·]{11}\n/);
    for (const line of shown.out.split("\n").slice(0, 4)) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(72);
    const piped = await terminal.run(["spend", "--since", "10d"]);
    expect(piped.out).not.toMatch(/[▁▂▃▄▅▆▇█]/);
  } finally {
    terminal.close();
  }
});

test("says how far it is with calls that were never added up, on a terminal alone", async () => {
  const terminal = new Terminal();
  const spend = async ({ onProgress }: SpendRequest): Promise<SpendReportView> => {
    onProgress?.(2_000, 10_000);
    return EMPTY;
  };
  try {
    const { err } = await terminal.run(["spend"], "", { columns: 100, control: { spend } });
    expect(err).toContain("2,000 of 10,000 (20 %) calls added up for the first time");
    expect((await terminal.run(["spend"], "", { control: { spend } })).err).not.toContain("added up");
  } finally {
    terminal.close();
  }
});

const NOTHING = "0.00";
const EMPTY: SpendReportView = {
  by: "run",
  since: "2026-01-01T00:00:00.000Z",
  until: null,
  rows: [],
  total: {
    calls: 0,
    refused: 0,
    settled_usd: NOTHING,
    held_usd: NOTHING,
    unresolved_usd: NOTHING,
    total_usd: NOTHING,
  },
  groups: 0,
  truncated: false,
};
