import type { ComponentChildren } from "preact";
import type { Loaded } from "../data.ts";
import { Failure } from "./failure.tsx";

interface Properties<Value> {
  readonly loaded: Loaded<Value>;
  readonly children: (value: Value) => ComponentChildren;
}

/** What was loaded, or that it is on its way, or why it is not there. A later failure leaves what is shown. */
export function Shown<Value>({ loaded, children }: Properties<Value>) {
  const { value, error, reload } = loaded;
  return (
    <>
      {error && <Failure error={error} retry={reload} />}
      {value === undefined && !error && (
        <p class="loading" role="status">
          Loading…
        </p>
      )}
      {value !== undefined && children(value)}
    </>
  );
}
