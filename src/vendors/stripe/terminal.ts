import type { Answer, Call } from "../../core/call.ts";
import { asObject, minorUnits, nothingSpent, objectOf } from "../stripe-money.ts";
import type { Cost, Exposure, Operation } from "../vendor.ts";
import { refunded } from "./charges.ts";
import { beforeOf, remembered, type StepExposure, stepExposure } from "./counted-steps.ts";
import { less, objectInField } from "./found-object.ts";
import { costless, lookedUp } from "./operation.ts";

const intentInField = objectInField("/v1/payment_intents", "payment_intent");

/**
 * Payments on a card reader. The answer is the reader, before anybody has tapped a card: what was held is counted, unless
 * the reader says at once that it failed. A tip, which the payer alone chooses on the reader, is counted when it is captured.
 */
export const TERMINAL: readonly Operation[] = [
  ...["process_payment_intent", "confirm_payment_intent"].map((act) =>
    lookedUp(`terminal.${act}`, "charge", `POST /v1/terminal/readers/*/${act}`, {
      exposure: stepExposure({
        path: intentInField,
        amounts: [],
        most: (_call, { object, countedMinor }) => less(minorUnits(object, "amount"), countedMinor),
      }),
      cost: startedOnReader,
      object: intentInField,
      counts: "the PaymentIntent's amount",
    }),
  ),
  lookedUp("terminal.refund_payment", "refund", "POST /v1/terminal/readers/*/refund_payment", {
    exposure: refunded,
    cost: startedOnReader,
    counts: "the amount, or what is left of the charge",
  }),
  ...costless("terminal.collect", "charge", "nothing: a payment method is read, and confirmed by another call", [
    "POST /v1/terminal/readers/*/collect_payment_method",
  ]),
];

function startedOnReader(_call: Call, answer: Answer, exposure: Exposure): Cost {
  const action = asObject(objectOf(answer)?.["action"]);
  if (action?.["status"] === "failed") return nothingSpent(answer);
  const cost: Cost = { micros: exposure.micros, source: exposure.source };
  const before = beforeOf(exposure);
  if (!before) return { ...nothingSpent(answer), ...cost };
  const { path, object, countedMinor } = before;
  const counted = countedMinor + (exposure as StepExposure).mostMinor;
  return {
    ...cost,
    vendorTxnId: path.slice(path.lastIndexOf("/") + 1),
    remember: { path, object: remembered(object, counted) },
  };
}
