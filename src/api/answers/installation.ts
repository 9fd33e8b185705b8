import { Type } from "@sinclair/typebox";
import type { AboutView, FindingView } from "../../operate/about.ts";
import type { AlertDeliveryView, AlertTestView } from "../../operate/alert-verbs.ts";
import { answerOf, oneOf, orNull } from "../described.ts";
import { count, instant, instantOrNull, words } from "./values.ts";

/** `GET /about`. */
export const AboutAnswer = answerOf<AboutView>()(
  Type.Object(
    {
      version: words("The server's version.", "0.1.0"),
      policies_dir: words("The directory of its templates.", "policies"),
      retention_days: orNull(count("Days."), "After so many days calls are pruned; null where they are kept."),
    },
    { title: "About" },
  ),
);

const FindingAnswer = answerOf<FindingView>()(
  Type.Object(
    {
      check: words("What was looked at.", "master key"),
      level: oneOf(["ok", "warning", "error"], "How it is."),
      message: words("In a sentence.", "the master key opens every secret"),
      hint: orNull(words("What to do.", "chmod 600 master.key"), "What to do; null where nothing is to be done."),
    },
    { title: "Finding" },
  ),
);

/** `GET /doctor`. */
export const FindingsAnswer = Type.Object({ findings: Type.Array(FindingAnswer) }, { title: "Findings" });

const ATTEMPT = {
  http_status: orNull(count("Of the answer."), "The receiver's status; null where there was no answer."),
  problem: orNull(words("In words.", "answered 500"), "Why the last try failed; null where it did not."),
};

const AlertDeliveryAnswer = answerOf<AlertDeliveryView>()(
  Type.Object(
    {
      event_id: words("The event.", "cap.reached:vk_01k5x3r9t7e2mfq8"),
      type: words("Of what kind it is.", "cap.reached"),
      at: instant("When it happened."),
      text: words("What the receiver is told.", "ray-billing/01 has used its daily cap of $500.00"),
      target: words("The target's name in keybrake.yaml.", "ops"),
      state: words("pending, delivered or failed.", "delivered"),
      attempts: count("Tries so far."),
      next_try_at: instantOrNull("When it is tried again; null where it is not."),
      ...ATTEMPT,
    },
    { title: "AlertDelivery" },
  ),
);

/** `GET /alerts`. */
export const AlertsAnswer = Type.Object({ alerts: Type.Array(AlertDeliveryAnswer) }, { title: "Alerts" });

const AlertTestAnswer = answerOf<AlertTestView>()(
  Type.Object(
    {
      target: words("The target's name in keybrake.yaml.", "ops"),
      type: words("Of what kind it is.", "webhook"),
      ok: Type.Boolean({ description: "Whether it took the test event.", examples: [true] }),
      ...ATTEMPT,
    },
    { title: "AlertTest" },
  ),
);

/** `POST /alerts/test`. */
export const AlertTestsAnswer = Type.Object({ results: Type.Array(AlertTestAnswer) }, { title: "AlertTests" });
