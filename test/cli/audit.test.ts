import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readTime } from "../../src/cli/audit-filter-flags.ts";
import type { AuditPageRequest, AuditRowView, ControlPlane } from "../../src/operate/control-plane.ts";
import type { AuditFilter } from "../../src/store/store.ts";
import { NOW_MS, PLACES, Terminal, type TerminalOptions } from "./terminal.ts";
import { Transcript } from "./transcript.ts";

let terminal: Terminal;
beforeEach(() => {
  terminal = new Terminal();
});
afterEach(() => terminal.close());

function row(number: number, changes: Readonly<Record<string, unknown>> = {}): AuditRowView {
  return {
    id: `call_${number}`,
    called_at: `2026-03-04T05:0${number}:00.000Z`,
    finished_at: `2026-03-04T05:0${number}:01.000Z`,
    agent_run_id: "ray-billing/01",
    agent_run_label: "ray-billing/01",
    agent_name: null,
    vault_key_id: "vk_1",
    vendor: "stripe",
    method: "POST",
    endpoint: "/v1/payment_intents",
    path: "/v1/payment_intents",
    policy_verdict: "allowed",
    verdict_rule: "allowed_endpoints[0]",
    state: "settled",
    exposure_usd: "29.99",
    cost_usd: "29.99",
    cost_source: "vendor_response",
    metadata: { team: "pay" },
    http_status: 200,
    ...changes,
  };
}

const ROWS: readonly AuditRowView[] = [
  row(1),
  row(2, {
    agent_name: "=HYPERLINK(1)",
    endpoint: "/v1/payment_intents/*/confirm",
    path: "/v1/payment_intents/pi_1/confirm",
  }),
  row(3, { policy_verdict: "amount_denied", state: "refused", cost_usd: "0.00", exposure_usd: "9999.00" }),
  row(4, { state: "unresolved", cost_usd: null, policy_verdict: "upstream_timeout" }),
  row(5, { state: "held", cost_usd: null, agent_run_label: null, agent_run_id: 'its own, "quoted"' }),
];

/** A payment whose outcome was unknown, how it was found out, and another one that an operator settled. */
const BELONGING: readonly AuditRowView[] = [
  row(1, { state: "unresolved", cost_usd: null, policy_verdict: "upstream_timeout", flag: "timeout" }),
  row(2, { cost_usd: "0.00", flag: "looks_up:call_1" }),
  row(3, { refers_to: "call_1", cost_source: "lookup", flag: "looked_up" }),
  row(4, { cost_usd: "0.00", flag: "replays:call_1" }),
  row(6, { refers_to: "call_0", cost_source: "manual", cost_usd: "45.00", flag: "overrun" }),
  row(7, { refers_to: "call_1", cost_source: "reconciled", cost_usd: "0.01" }),
  row(8, { flag: "cost_unreadable" }),
  row(9),
];

/** An audit of rows that tells what was asked of it. */
class FakeAudit {
  readonly asked: { filter: AuditFilter; page: AuditPageRequest }[] = [];
  constructor(public rows: readonly AuditRowView[]) {}

  get control(): Partial<ControlPlane> {
    return {
      queryAudit: async (filter, page) => {
        this.asked.push({ filter, page });
        const end = page.before === undefined ? this.rows.length : Number(page.before);
        const begin = page.after === undefined ? Math.max(0, end - page.limit) : Number(page.after);
        const rows =
          page.after === undefined ? this.rows.slice(begin, end) : this.rows.slice(begin, begin + page.limit);
        return {
          rows,
          older_cursor: page.after === undefined && begin > 0 ? String(begin) : null,
          newer_cursor: String(begin + rows.length),
        };
      },
      auditTotals: async () => ({
        calls: this.rows.length,
        refused: 1,
        settled_usd: "1240.00",
        held_usd: "29.99",
        unresolved_usd: "29.99",
      }),
    };
  }
}

test.each(PLACES)(
  "%s: the table, its total, and the other formats read as the golden transcript says",
  async (place) => {
    terminal.place = place;
    const options: TerminalOptions = { control: new FakeAudit(ROWS).control };
    const transcript = new Transcript(terminal);
    await transcript.type("audit --run ray-billing/01", "", options);
    await transcript.type("audit --limit 2", "", options);
    await transcript.type("audit --limit 2 --format ndjson", "", options);
    await transcript.type("audit --format csv", "", options);
    terminal.nowMs += 86_400_000;
    await transcript.type("audit", "", { ...options, columns: 80, environment: { NO_COLOR: "1" } });
    await transcript.type("audit", "", { ...options, columns: 50, environment: { NO_COLOR: "1" } });
    await transcript.type("audit --since 24h", "", { control: new FakeAudit([]).control });
    terminal.nowMs -= 86_400_000;
    const belonging: TerminalOptions = { control: new FakeAudit(BELONGING).control };
    await transcript.type("audit", "", belonging);
    await transcript.type("audit", "", { ...belonging, columns: 100, environment: { NO_COLOR: "1" } });
    transcript.expectGolden("audit");
  },
);

test("--json is an array of the rows with the field names of the audit table", async () => {
  const { out } = await terminal.run(["audit", "--json"], "", { control: new FakeAudit(ROWS).control });
  expect(JSON.parse(out)).toEqual(ROWS as unknown[]);
});

test.each(PLACES)("%s: every filter reaches the control plane", async (place) => {
  terminal.place = place;
  const audit = new FakeAudit([]);
  const filters = "--run r --label-contains l --key vk_1 --vendor stripe --verdict cap_exceeded --state refused";
  const others = "--customer cus_1 --event evt_1 --since 2026-03-01 --until 1h --limit 7";
  await terminal.run(["audit", ...filters.split(" "), ...others.split(" ")], "", { control: audit.control });
  expect(audit.asked).toEqual([
    {
      filter: {
        run: "r",
        labelContains: "l",
        keyId: "vk_1",
        vendor: "stripe",
        verdict: "cap_exceeded",
        state: "refused",
        customer: "cus_1",
        triggeringEventId: "evt_1",
        since: Date.UTC(2026, 2, 1),
        until: NOW_MS - 3_600_000,
      },
      page: { limit: 7 },
    },
  ]);
});

test.each(PLACES)("%s: a limit over one page is fetched page by page, newest last", async (place) => {
  terminal.place = place;
  const many = Array.from({ length: 12_345 }, (_, index) => row(1, { id: `call_${index}` }));
  const audit = new FakeAudit(many);
  const { out } = await terminal.run(["audit", "--limit", "11000", "--format", "ndjson"], "", {
    control: audit.control,
  });
  const ids = out
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { id: string }).id);
  expect(ids).toEqual(many.slice(-11_000).map(({ id }) => id));
  expect(audit.asked.map(({ page }) => page.limit)).toEqual([10_000, 1_000]);
});

describe("--follow", () => {
  const follow = (audit: FakeAudit, steps: readonly (() => void)[]) => {
    let step = 0;
    return terminal.run(["audit", "--follow", "--format", "ndjson"], "", {
      control: audit.control,
      onPause: () => {
        const next = steps[step++];
        if (next) next();
        else terminal.signal("SIGINT");
      },
    });
  };
  const states = (out: string) =>
    out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: string; state: string })
      .map(({ id, state }) => `${id} ${state}`);

  test("prints what comes, each call once and with its final state, until Ctrl-C", async () => {
    const audit = new FakeAudit([row(1)]);
    const { code, out } = await follow(audit, [
      () => {
        audit.rows = [row(1), row(2, { state: "held" }), row(3)];
      },
      () => {},
      () => {
        audit.rows = [row(1), row(2), row(3), row(4)];
      },
      () => {
        audit.rows = [...audit.rows, row(5)];
      },
    ]);
    expect(states(out)).toEqual([
      "call_1 settled",
      "call_3 settled",
      "call_2 settled",
      "call_4 settled",
      "call_5 settled",
    ]);
    expect(code).toBe(0);
    expect(terminal.listeners).toBe(0);
  });

  test("prints a call that stays in flight as held after five seconds, and goes on", async () => {
    const audit = new FakeAudit([]);
    const { out } = await follow(audit, [
      () => {
        audit.rows = [row(1, { state: "held" })];
      },
      ...Array.from({ length: 10 }, () => () => {}),
      () => {
        audit.rows = [...audit.rows, row(2)];
      },
    ]);
    expect(states(out)).toEqual(["call_1 held", "call_2 settled"]);
  });
});

describe("a time", () => {
  test.each([
    ["24h", NOW_MS - 86_400_000],
    ["90", NOW_MS - 90_000],
    ["2026-01-31", Date.UTC(2026, 0, 31)],
    ["2026-01-31T08:30", Date.UTC(2026, 0, 31, 8, 30)],
    ["2026-01-31 08:30:15", Date.UTC(2026, 0, 31, 8, 30, 15)],
    ["2026-01-31T08:30:15.250Z", Date.UTC(2026, 0, 31, 8, 30, 15, 250)],
    ["2026-01-31T08:30:00+02:00", Date.UTC(2026, 0, 31, 6, 30)],
  ])("%s is understood", (text, expected) => {
    expect(readTime("--since", text, NOW_MS)).toBe(expected);
  });

  test.each(["yesterday", "", "2026-13-01", "31.01.2026", "-1h", "1.5h"])("%j is refused", (text) => {
    expect(() => readTime("--since", text, NOW_MS)).toThrow("--since is");
  });
});
