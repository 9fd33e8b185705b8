import { expect, test } from "bun:test";
import { Problem } from "../../src/core/problem.ts";
import { type AuditFilterTexts, readAuditFilter } from "../../src/operate/audit-filter.ts";

const NOW = Date.UTC(2026, 0, 31, 12);

const READ: readonly (readonly [texts: AuditFilterTexts, filter: object])[] = [
  [{}, {}],
  [
    { run: "r", label_contains: "tenant:acme" },
    { run: "r", labelContains: "tenant:acme" },
  ],
  [
    { key_id: "vk_1", vendor: "stripe" },
    { keyId: "vk_1", vendor: "stripe" },
  ],
  [
    { verdict: "cap_exceeded", state: "refused" },
    { verdict: "cap_exceeded", state: "refused" },
  ],
  [
    { customer: "cus_1", triggering_event_id: "e" },
    { customer: "cus_1", triggeringEventId: "e" },
  ],
  [{ since: "24h" }, { since: NOW - 86_400_000 }],
  [
    { since: "2026-01-30", until: "2026-01-31T12:00:00Z" },
    { since: Date.UTC(2026, 0, 30), until: NOW },
  ],
  [{ until: "2026-01-31T13:00:00.000+01:00" }, { until: NOW }],
];

test.each(READ)("reads %j", (texts, filter) => {
  expect(readAuditFilter(texts, NOW)).toEqual(filter);
});

const REFUSED: readonly (readonly [texts: AuditFilterTexts, message: RegExp])[] = [
  [{ verdict: "cap_exceded" }, /did you mean cap_exceeded/],
  [{ state: "open" }, /refused, held, settled/],
  [{ since: "yesterday" }, /since must be.*"yesterday"/],
  [{ since: "24" }, /since must be/],
  [{ since: "0h" }, /since/],
  [{ until: "2026-01-31T12:00:00" }, /until must be/],
  [{ until: "2026-13-01" }, /until must be/],
];

test.each(REFUSED)("refuses %j", (texts, message) => {
  expect(() => readAuditFilter(texts, NOW)).toThrow(Problem);
  expect(() => readAuditFilter(texts, NOW)).toThrow(message);
});
