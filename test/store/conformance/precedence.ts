import { expect, test } from "bun:test";
import { timeOrderedId } from "../../../src/core/id.ts";
import type { RefusalCode } from "../../../src/core/verdict.ts";
import type { Store } from "../../../src/store/store.ts";
import { holdOf, NOON } from "../../ledger/entries.ts";
import { issue } from "../records.ts";
import { type OpenStore, within } from "../store-under-test.ts";

interface Situation {
  readonly expired?: boolean;
  readonly revoked?: boolean;
  readonly braked?: boolean;
  readonly full?: boolean;
  /** What the policy or the parser has said before the ledger is asked. */
  readonly refusal?: RefusalCode;
}

const SITUATIONS: readonly (readonly [Situation, RefusalCode | "admitted"])[] = [
  [{}, "admitted"],
  [{ full: true }, "cap_exceeded"],
  [{ refusal: "endpoint_denied" }, "endpoint_denied"],
  [{ refusal: "endpoint_denied", full: true }, "endpoint_denied"],
  [{ braked: true, refusal: "endpoint_denied", full: true }, "brake_engaged"],
  [{ braked: true, refusal: "vendor_not_configured" }, "vendor_not_configured"],
  [{ braked: true, refusal: "draining" }, "draining"],
  [{ expired: true, braked: true, refusal: "draining" }, "key_expired"],
  [{ revoked: true, expired: true, braked: true, full: true }, "key_revoked"],
  [{ revoked: true, refusal: "endpoint_denied" }, "key_revoked"],
  [{ revoked: true, refusal: "amount_denied" }, "key_revoked"],
  [{ revoked: true, expired: true, braked: true, refusal: "request_rejected" }, "request_rejected"],
  [{ revoked: true, refusal: "body_too_large" }, "body_too_large"],
  [{ revoked: true, refusal: "encoding_unsupported" }, "encoding_unsupported"],
];

const WATCHED = {
  vendor: "stripe",
  allowed_endpoints: ["* /**"],
  auto_revoke: { cap_hits: 3, within: "1h" },
};

async function callIn(store: Store, { expired, revoked, braked, full, refusal }: Situation) {
  const { id } = await issue(store);
  if (full) await store.apply([holdOf(id, 100)], NOON);
  if (revoked) await store.revokeKeys({ ids: [id] }, "stuck loop", NOON);
  const scope = { vendor: "stripe", labelPrefix: null, reason: "2 a.m." };
  if (braked) await store.engageBrake({ id: "brk_1", ...scope, engagedAt: NOON });
  const hold = holdOf(id, 1, refusal ? { refusal: { code: refusal, rule: "a rule" } } : {});
  const [decision] = await store.apply([hold], expired ? NOON + 30 * 86_400_000 : NOON);
  return { decision, hold };
}

const BRAKES: readonly (readonly [
  vendor: string | null,
  prefix: string | null,
  label: string | null,
  stops: boolean,
])[] = [
  [null, null, "tenant:acme:1", true],
  [null, null, null, true],
  ["stripe", null, null, true],
  ["twilio", null, "tenant:acme:1", false],
  [null, "tenant:acme:", "tenant:acme:1", true],
  [null, "tenant:acme:", "tenant:acme", false],
  [null, "tenant:acme:", "x:tenant:acme:1", false],
  [null, "tenant:%", "tenant:acme:1", false],
  [null, "tenant:", null, false],
  ["stripe", "tenant:", "tenant:acme:1", true],
  ["twilio", "tenant:", "tenant:acme:1", false],
  ["stripe", "other:", "tenant:acme:1", false],
];

export function precedenceConformance(open: OpenStore): void {
  for (const [situation, wanted] of SITUATIONS) {
    test(
      `answers ${wanted} to a call that is ${JSON.stringify(situation)}, and says so in its row`,
      within(open, async ({ store }) => {
        const { decision, hold } = await callIn(store, situation);
        const { rows } = await store.queryAudit({}, { limit: 5 });
        const row = rows.find(({ id }) => id === hold.facts.id)!;
        if (wanted === "admitted") {
          expect(decision).toMatchObject({ admitted: true });
          expect(row).toMatchObject({ state: "held", policyVerdict: "allowed" });
        } else {
          expect(decision).toMatchObject({ admitted: false, code: wanted });
          expect(row).toMatchObject({ state: "refused", policyVerdict: wanted });
        }
      }),
    );
  }

  for (const [vendor, labelPrefix, label, stops] of BRAKES) {
    test(
      `a brake on vendor ${vendor} and prefix ${labelPrefix} ${stops ? "stops" : "lets pass"} stripe with label ${label}`,
      within(open, async ({ store }) => {
        const { id } = await issue(store, { label });
        await store.engageBrake({ id: "brk_1", vendor, labelPrefix, reason: null, engagedAt: NOON });
        const [decision] = await store.apply([holdOf(id, 1, { facts: { agentRunLabel: label } })], NOON);
        expect(decision).toMatchObject(stops ? { code: "brake_engaged", rule: "brake brk_1" } : { admitted: true });
        await store.releaseBrake(vendor, labelPrefix, NOON);
        expect(await store.apply([holdOf(id, 1)], NOON)).toMatchObject([{ admitted: true }]);
      }),
    );
  }

  test(
    "passes on what the operator said with a revoke and with a brake",
    within(open, async ({ store }) => {
      const braked = await callIn(store, { braked: true });
      expect(braked.decision).toMatchObject({ code: "brake_engaged", reason: "2 a.m." });
      const revoked = await callIn(store, { revoked: true });
      expect(revoked.decision).toMatchObject({ code: "key_revoked", reason: "stuck loop" });
    }),
  );

  test(
    "names the key's own rule that has revoked it",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store, { policy: WATCHED });
      const call_id = timeOrderedId("call", NOON);
      const tripped = { rule: "cap_hits", limit: 3, within: "1h", value: 3, baseline: null, call_id };
      const slice = await store.readRevokeSlice(10, NOON);
      const revocations = [{ keyId, reason: "3 cap_hits in 1h", tripped }];
      const findings = { tallies: [], aged: [], revocations, at: NOON };
      expect(await store.finishRevokeSlice(slice, findings)).toEqual([keyId]);
      const refused = { admitted: false, code: "key_revoked", rule: "auto_revoke.cap_hits" };
      expect(await store.apply([holdOf(keyId, 1)], NOON)).toMatchObject([refused]);
    }),
  );

  test(
    "names the brake that was engaged first where several stop a call",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      await store.engageBrake({ id: "b", vendor: "stripe", labelPrefix: null, reason: null, engagedAt: NOON });
      await store.engageBrake({ id: "a", vendor: null, labelPrefix: null, reason: null, engagedAt: NOON + 1 });
      expect(await store.apply([holdOf(id, 1)], NOON)).toMatchObject([{ rule: "brake b" }]);
    }),
  );
}
