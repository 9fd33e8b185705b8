import type { MoneyKind, Operation, Vendor } from "../vendors/vendor.ts";
import { knownVendor } from "./known-vendor.ts";

/** The classes as people see them: of what may cost and cannot be priced it only matters that it is closed. */
export const OPERATION_CLASSES = ["priced", "look-up", "free", "closed"] as const;
export type OperationClassName = (typeof OPERATION_CLASSES)[number];

/** One line of a vendor's list of operations. */
export interface OperationView {
  readonly name: string;
  /** In the grammar of `allowed_endpoints`: `GET /v1/customers/*`. */
  readonly route: string;
  readonly class: OperationClassName;
  readonly kind: MoneyKind;
  /** What the agent is told where it is closed; a policy opens `endpoint_denied` by the route's exact text. */
  readonly code: "endpoint_denied" | "cost_unknown" | null;
  /** What is counted where it may cost, why it is closed; null where all of it is free. */
  readonly detail: string | null;
}

/** The part of the control plane that needs nothing but the program. */
export interface VendorOperationVerbs {
  /** In the order in which they decide. @throws Problem `not_found` for a vendor that there is not. */
  vendorOperations(name: string): Promise<readonly OperationView[]>;
}

const IN_GENERAL = {
  priced: "what the request says",
  look_up: "what the vendor says of the objects that the request names",
} as const;

/**
 * What Keybrake knows of a vendor's API, in the order in which it decides: the first line that covers a call. Needs no
 * data directory.
 * @throws Problem `not_found` for a vendor that there is not.
 */
export function vendorOperations(vendors: readonly Vendor[], name: string): readonly OperationView[] {
  return knownVendor(vendors, name).operations.map(operationView);
}

/** One operation as it is shown. */
export function operationView(operation: Operation): OperationView {
  const { name, route, kind, counts, reason = null } = operation;
  const line = { name, route, kind };
  switch (operation.class) {
    case "priced":
      return { ...line, class: "priced", code: null, detail: counts ?? IN_GENERAL.priced };
    case "look_up":
      return { ...line, class: "look-up", code: null, detail: counts ?? IN_GENERAL.look_up };
    case "free":
      return { ...line, class: "free", code: null, detail: counts ?? null };
    case "closed":
      return { ...line, class: "closed", code: "endpoint_denied", detail: reason };
    case "unknown":
      return { ...line, class: "closed", code: "cost_unknown", detail: reason };
  }
}
