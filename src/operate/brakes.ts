import { timeOrderedId } from "../core/id.ts";
import { Problem } from "../core/problem.ts";
import type { Brake } from "../ledger/entry.ts";
import type { BrakeRequest, BrakeView } from "./brake-verbs.ts";
import { checkLabel, checkReason } from "./free-text.ts";
import { stopHard } from "./hard-stop.ts";
import { isoTime } from "./key-view.ts";
import { checkVendorName } from "./known-vendor.ts";
import type { ControlPlaneOptions } from "./options.ts";

/** Stops a vendor, a label prefix, both together, or, with neither, everything. In force when it resolves. */
export async function engageBrake(options: ControlPlaneOptions, request: BrakeRequest): Promise<BrakeView> {
  const { store, clock } = options;
  const target = targetOf(options, request);
  const reason = checkReason(request.reason);
  const engaged = (await store.listBrakes()).find((brake) => isSame(brake, target));
  const now = clock.now();
  const brake: Brake = engaged ?? { id: timeOrderedId("brk", now), ...target, reason, engagedAt: now };
  if (!engaged) await store.engageBrake(brake);
  if (request.hard === true) await stopHard(options, { keyIds: [], scope: { ...target, label: null } });
  return brakeView(brake);
}

/** Releases the brake that was engaged with exactly this vendor and prefix. */
export async function releaseBrake(
  options: ControlPlaneOptions,
  request: { vendor?: string; label_prefix?: string },
): Promise<readonly BrakeView[]> {
  const { store, clock } = options;
  const target = targetOf(options, request);
  const released = await store.releaseBrake(target.vendor, target.labelPrefix, clock.now());
  const left = released.length > 0 ? [] : await store.listBrakes();
  if (left.length > 0) {
    throw new Problem(
      "not_found",
      `there is no brake on ${described(target)}; engaged: ${left.map(described).join(", ")}`,
      "name the brake's own vendor and label prefix",
    );
  }
  return released.map(brakeView);
}

export async function listBrakes({ store }: ControlPlaneOptions): Promise<readonly BrakeView[]> {
  return (await store.listBrakes()).map(brakeView);
}

type Target = Pick<Brake, "vendor" | "labelPrefix">;

function targetOf(
  { vendors }: ControlPlaneOptions,
  { vendor, label_prefix }: Pick<BrakeRequest, "vendor" | "label_prefix">,
): Target {
  return {
    vendor: vendor === undefined ? null : checkVendorName(vendors, vendor).name,
    labelPrefix: label_prefix === undefined ? null : checkLabel(label_prefix, "label_prefix"),
  };
}

function isSame(brake: Brake, { vendor, labelPrefix }: Target): boolean {
  return brake.vendor === vendor && brake.labelPrefix === labelPrefix;
}

function described({ vendor, labelPrefix }: Target): string {
  const parts = [vendor, labelPrefix === null ? null : `label prefix ${JSON.stringify(labelPrefix)}`];
  return parts.filter((part) => part !== null).join(" with ") || "everything";
}

function brakeView({ id, vendor, labelPrefix, reason, engagedAt }: Brake): BrakeView {
  return { id, vendor, label_prefix: labelPrefix, reason, engaged_at: isoTime(engagedAt) };
}
