import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import billing from "../../policies/billing.yaml" with { type: "text" };
import codeSandbox from "../../policies/code-sandbox.yaml" with { type: "text" };
import email from "../../policies/email.yaml" with { type: "text" };
import multiVendor from "../../policies/multi-vendor.yaml" with { type: "text" };
import notificationsSms from "../../policies/notifications-sms.yaml" with { type: "text" };
import readOnly from "../../policies/read-only.yaml" with { type: "text" };
import refunds from "../../policies/refunds.yaml" with { type: "text" };
import tenantBilling from "../../policies/tenant-billing.yaml" with { type: "text" };
import webhookDisputeCreated from "../../policies/webhook-dispute-created.yaml" with { type: "text" };
import webhookPaymentFailed from "../../policies/webhook-payment-failed.yaml" with { type: "text" };

/** The templates that the binary carries: file name → text. */
export const BUILTIN_TEMPLATES: ReadonlyMap<string, string> = new Map<string, string>([
  ["billing.yaml", billing],
  ["code-sandbox.yaml", codeSandbox],
  ["email.yaml", email],
  ["multi-vendor.yaml", multiVendor],
  ["notifications-sms.yaml", notificationsSms],
  ["read-only.yaml", readOnly],
  ["refunds.yaml", refunds],
  ["tenant-billing.yaml", tenantBilling],
  ["webhook-dispute-created.yaml", webhookDisputeCreated],
  ["webhook-payment-failed.yaml", webhookPaymentFailed],
]);

/**
 * Writes the built-in templates into `directory`, which is made where it is missing. A file that is there is the
 * operator's and stays as it is. Returns the names of the files written.
 */
export function writeBuiltinTemplates(directory: string): readonly string[] {
  mkdirSync(directory, { recursive: true });
  return [...BUILTIN_TEMPLATES]
    .filter(([fileName, text]) => writeNew(join(directory, fileName), text))
    .map(([name]) => name);
}

/** Whole or not at all: a crash leaves no half of a policy behind under a template's name. */
function writeNew(path: string, text: string): boolean {
  if (existsSync(path)) return false;
  const unfinished = `${path}.${process.pid}.new`;
  writeFileSync(unfinished, text);
  renameSync(unfinished, path);
  return true;
}
