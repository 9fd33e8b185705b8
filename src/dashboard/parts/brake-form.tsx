import { useState } from "preact/hooks";
import type { BrakeRequest } from "../../operate/brake-verbs.ts";
import { TextField } from "./text-field.tsx";
import { VendorChoice } from "./vendor-choice.tsx";

/** What to stop; what is left open is stopped whole. */
export function BrakeForm({ onAsk }: { readonly onAsk: (request: BrakeRequest) => void }) {
  const [vendor, setVendor] = useState("");
  const [prefix, setPrefix] = useState("");
  const [reason, setReason] = useState("");
  const [hard, setHard] = useState(false);
  const submit = (event: Event) => {
    event.preventDefault();
    onAsk({
      ...(vendor && { vendor }),
      ...(prefix.trim() && { label_prefix: prefix.trim() }),
      ...(reason.trim() && { reason: reason.trim() }),
      ...(hard && { hard }),
    });
  };
  return (
    <form class="filters" onSubmit={submit}>
      <VendorChoice value={vendor} onValue={setVendor} />
      <TextField label="Runs whose label begins with" value={prefix} onValue={setPrefix} placeholder="every run" />
      <TextField label="Why (agents are told)" value={reason} onValue={setReason} />
      <label class="choice">
        <input type="checkbox" checked={hard} onChange={(event) => setHard(event.currentTarget.checked)} />
        Abort calls in flight, too
      </label>
      <div class="filter-acts">
        <button type="submit" class="button is-danger is-full">
          Engage…
        </button>
      </div>
    </form>
  );
}
