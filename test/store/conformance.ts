import { describe } from "bun:test";
import { auditConformance } from "./conformance/audit.ts";
import { batchConformance } from "./conformance/batches.ts";
import { budgetConformance } from "./conformance/budgets.ts";
import { controlConformance } from "./conformance/control.ts";
import { counterConformance } from "./conformance/counters.ts";
import { gaugeConformance } from "./conformance/gauges.ts";
import { handleConformance } from "./conformance/handles.ts";
import { holdConformance } from "./conformance/holds.ts";
import { keyConformance } from "./conformance/keys.ts";
import { kindConformance } from "./conformance/kinds.ts";
import { objectConformance } from "./conformance/objects.ts";
import { precedenceConformance } from "./conformance/precedence.ts";
import { reconciliationConformance } from "./conformance/reconciliations.ts";
import { repeatConformance } from "./conformance/repeats.ts";
import { rewrapConformance } from "./conformance/rewraps.ts";
import { rollingWindowConformance } from "./conformance/rolling-windows.ts";
import { sessionConformance } from "./conformance/sessions.ts";
import { spendConformance } from "./conformance/spend.ts";
import { turnConformance } from "./conformance/turns.ts";
import { vendorOutcomeConformance } from "./conformance/vendor-outcomes.ts";
import { windowConformance } from "./conformance/windows.ts";
import type { OpenStore } from "./store-under-test.ts";

/** What every store must do: the contract of src/store/store.ts, verb by verb. Each test opens a store of its own. */
export function storeConformance(name: string, open: OpenStore): void {
  describe(`${name} keeps the contract`, () => {
    describe("keys", () => keyConformance(open));
    describe("vendors, brakes, tokens, answers", () => controlConformance(open));
    describe("browsers' sessions", () => sessionConformance(open));
    describe("a hold's life", () => holdConformance(open));
    describe("batches", () => batchConformance(open));
    describe("repeats", () => repeatConformance(open));
    describe("the vendors' objects", () => objectConformance(open));
    describe("prices that come later", () => reconciliationConformance(open));
    describe("what refuses first", () => precedenceConformance(open));
    describe("windows and the clock", () => windowConformance(open));
    describe("budgets above keys", () => budgetConformance(open));
    describe("rolling windows and counts", () => rollingWindowConformance(open));
    describe("kinds of money", () => kindConformance(open));
    describe("leases, counters, figures", () => counterConformance(open));
    describe("figures for metrics", () => gaugeConformance(open));
    describe("what was spent", () => spendConformance(open));
    describe("the audit table", () => auditConformance(open));
    describe("another master key", () => rewrapConformance(open));
    describe("how vendors do", () => vendorOutcomeConformance(open));
    describe("several handles", () => handleConformance(open));
    describe("several servers", () => turnConformance(open));
  });
}
