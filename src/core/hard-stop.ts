/** A call that is at its vendor, as far as a stop has to know it. */
export interface StoppableCall {
  readonly keyId: string;
  readonly label: string | null;
  readonly vendor: string;
}

/** A revoke or brake with `hard`: the calls that it concerns are to be aborted where they are in flight. */
export interface HardStop {
  /** Every call of these keys. */
  readonly keyIds: readonly string[];
  /** And every call in this scope, where there is one. */
  readonly scope: StopScope | null;
}

/** What is not null must fit, all of it; a scope of nothing but nulls is every call. */
export interface StopScope {
  readonly vendor: string | null;
  readonly label: string | null;
  readonly labelPrefix: string | null;
}

/** Whether a call is among those that `stop` is to abort. */
export function concerns({ keyIds, scope }: HardStop, call: StoppableCall): boolean {
  return keyIds.includes(call.keyId) || (scope !== null && isWithin(scope, call));
}

function isWithin({ vendor, label, labelPrefix }: StopScope, call: StoppableCall): boolean {
  return (
    (vendor === null || call.vendor === vendor) &&
    (label === null || call.label === label) &&
    (labelPrefix === null || (call.label ?? "").startsWith(labelPrefix))
  );
}
