import { Type } from "@sinclair/typebox";
import { CALL_STATES, COST_SOURCES } from "../../core/hold.ts";
import { VERDICTS, type Verdict } from "../../core/verdict.ts";
import type {
  AuditFindingView,
  AuditTotalsView,
  AuditVerdictView,
  PruneAuditView,
} from "../../operate/audit-chain-verbs.ts";
import type { BudgetChangeView, ResolvedCallView } from "../../operate/resolution.ts";
import { answerOf, oneOf, orNull } from "../described.ts";
import { BudgetAnswer } from "./budgets.ts";
import {
  callId,
  count,
  dollars,
  instant,
  instantOrNull,
  keyId,
  labelOrNull,
  vendorName,
  warnings,
  words,
} from "./values.ts";

const VERDICT_WORDS = Object.keys(VERDICTS) as Verdict[];

const textOrNull = (description: string, example: string) => orNull(words(description, example), description);
const dollarsOrNull = (description: string) => orNull(dollars(description), description);
const countOrNull = (description: string) => orNull(count(description), description);

const HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/** One audit row; `test/api/docs.test.ts` holds its names to the audit's own columns. */
export const AuditRowAnswer = Type.Object(
  {
    id: callId("Time-ordered; X-Keybrake-Request-Id of the call's answer."),
    called_at: instant("When the call came."),
    finished_at: instantOrNull("When its end was known; null while it is in flight."),
    agent_run_id: textOrNull("The request's own X-Agent-Run-Id, else the run label.", "ray-billing/01"),
    agent_run_label: labelOrNull,
    agent_name: textOrNull("The agent.", "billing_agent"),
    vault_key_id: keyId("The key that the call bore."),
    vendor: vendorName("The vendor that was called."),
    method: words("The call's method.", "POST"),
    endpoint: words("The path with ids replaced by *.", "/v1/payment_intents/*/confirm"),
    path: words("The path as it was asked for.", "/v1/payment_intents/pi_1/confirm"),
    policy_verdict: oneOf(VERDICT_WORDS, "What was decided."),
    verdict_rule: words("Which rule decided.", "daily_usd_cap"),
    state: oneOf(CALL_STATES, "Of the call's hold."),
    exposure_usd: dollars("What it could cost at most."),
    cost_usd: dollarsOrNull("What it did cost; null while that is not known."),
    cost_source: oneOf(COST_SOURCES, "Where the cost was read."),
    cap_usage_after_usd: dollarsOrNull("Use of the tightest cap after this call."),
    customer_scope_id: textOrNull("The vendor's customer that it concerned.", "cus_9a8b7c"),
    vendor_request_id: textOrNull("What the vendor calls the request.", "req_1"),
    vendor_txn_id: textOrNull("What the vendor calls the object.", "pi_1"),
    triggering_event_id: textOrNull("The request's X-Triggering-Event-Id.", "evt_1"),
    idempotency_key_hash: textOrNull("SHA-256 of the Idempotency-Key, in hex.", HASH),
    http_status: countOrNull("The vendor's status."),
    latency_ms: orNull(Type.Number({ examples: [41.5] }), "From the first byte to the last, in milliseconds."),
    upstream_latency_ms: orNull(Type.Number({ examples: [38.2] }), "The vendor's part of it."),
    flag: textOrNull("What was noticed.", "overrun"),
    metadata: orNull(
      Type.Record(Type.String(), Type.String(), { examples: [{ agent_id: "billing_agent" }] }),
      "The key's metadata.",
    ),
    refers_to: orNull(callId("The call."), "The call that this row corrects; null for the row of a call itself."),
    prev_hash: textOrNull("Hash of the row before, in hex; null while the call is in flight.", HASH),
    hash: textOrNull("Its own hash, in hex.", HASH),
  },
  { title: "AuditRow" },
);

const cursor = (description: string) => orNull(words("Opaque.", "1z4"), description);

/** `GET /audit`. */
export const AuditPageAnswer = Type.Object(
  {
    rows: Type.Array(AuditRowAnswer, { description: "Newest last." }),
    older_cursor: cursor("Pass it as before: the page of the rows before these; null where there are none."),
    newer_cursor: cursor("Pass it as after, or as Last-Event-ID to /audit/stream: what has come since."),
    next_cursor: cursor("The same as older_cursor, for clients that go page by page with cursor."),
  },
  { title: "AuditPage" },
);

/** `GET /audit/totals`. */
export const AuditTotalsAnswer = answerOf<AuditTotalsView>()(
  Type.Object(
    {
      calls: count("Calls."),
      refused: count("Calls that were refused."),
      settled_usd: dollars("What they did cost."),
      held_usd: dollars("In flight."),
      unresolved_usd: dollars("Of unknown outcome."),
    },
    { title: "AuditTotals" },
  ),
);

const FindingAnswer = answerOf<AuditFindingView>()(
  Type.Object(
    {
      fault: words("What is wrong: changed, missing, inserted, moved, tail_cut_off, …", "changed"),
      chain_seq: count("The position in the chain, from 1."),
      id: orNull(callId("Of the row."), "Of the first bad row; null where it is not there."),
      called_at: instantOrNull("Of the first bad row."),
      message: words("In a sentence.", "the row call_01k5x3r9t7e2mfq8 was changed"),
    },
    { title: "AuditFinding" },
  ),
);

/** `GET /audit/verify`. */
export const AuditVerdictAnswer = answerOf<AuditVerdictView>()(
  Type.Object(
    {
      ok: Type.Boolean({ description: "Whether the chain is whole.", examples: [true] }),
      count: count("Positions of the chain that are as they must be."),
      rows: count("Rows that were looked at."),
      pruned_rows: count("Rows that retention has removed, for which segments stand."),
      sum_usd: dollars("The rows' costs."),
      head: words("The hash of the newest row, in hex.", HASH),
      checkpoints: count("Checkpoints that the chain was compared with."),
      finding: orNull(FindingAnswer, "The first thing that is wrong; null where nothing is."),
    },
    { title: "AuditVerdict" },
  ),
);

/** `POST /audit/prune`. */
export const PrunedAnswer = answerOf<PruneAuditView>()(
  Type.Object(
    {
      rows: count("Rows that were removed, or would be."),
      kept_unresolved: count("Unresolved calls that are as old, and stay until they are resolved."),
      before: instant("Rows of calls that ended before then."),
      dry_run: Type.Boolean({ description: "True where nothing was removed.", examples: [true] }),
    },
    { title: "PrunedAudit" },
  ),
);

const { used: _, ...unchanged } = BudgetAnswer.properties;
const BudgetChangeAnswer = answerOf<BudgetChangeView>()(
  Type.Object(
    {
      ...unchanged,
      used_before: words("Used before the resolution.", "29.99"),
      used_after: words("Used after it.", "0.00"),
    },
    { title: "BudgetChange" },
  ),
);

/** `POST /audit/{id}/resolve`. */
export const ResolvedCallAnswer = answerOf<ResolvedCallView>()(
  Type.Object(
    {
      id: callId("The row of the resolution."),
      refers_to: callId("The call."),
      state: oneOf(["settled", "released"], "What became of it."),
      cost_usd: dollars("What it did cost."),
      exposure_usd: dollars("What was held for it until now."),
      flag: textOrNull("Who said so, and why.", "operator:local; reason: found at the vendor"),
      reason: textOrNull("Why.", "found at the vendor"),
      vault_key_id: keyId("The key that the call bore."),
      agent_run_label: labelOrNull,
      budget: orNull(BudgetChangeAnswer, "The key's budget with the least left; null where the key has none."),
      warnings,
    },
    { title: "ResolvedCall" },
  ),
);
