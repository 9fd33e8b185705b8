import { useState } from "preact/hooks";
import { api } from "../api.ts";
import { dollars } from "../format.ts";
import { text } from "../row-text.ts";
import type { Row } from "../stream.ts";
import { say } from "../toasts.ts";
import { Dialog } from "./dialog.tsx";
import { Failure } from "./failure.tsx";
import { TextField } from "./text-field.tsx";

interface Properties {
  readonly row: Row;
  readonly onClose: () => void;
  readonly changed: () => void;
}

/** Says what became of a call: what it did cost, or that nothing was spent. Once. */
export function ResolveDialog({ row, onClose, changed }: Properties) {
  const [outcome, setOutcome] = useState<"settled" | "released">("settled");
  const [amount, setAmount] = useState(text(row, "exposure_usd"));
  const [reason, setReason] = useState("");
  const [error, setError] = useState<Error>();
  const submit = async (event: Event) => {
    event.preventDefault();
    const what = outcome === "settled" ? { settled_usd: amount.trim() } : { released: true };
    try {
      const resolved = await api.resolve(row.id, { ...what, ...(reason.trim() && { reason: reason.trim() }) });
      say(`Resolved: ${dollars(resolved.cost_usd)} ${resolved.state}.`);
      changed();
      onClose();
    } catch (cause) {
      setError(cause as Error);
    }
  };
  const choice = (value: "settled" | "released", words: string) => (
    <label class="choice">
      <input type="radio" name="outcome" checked={outcome === value} onChange={() => setOutcome(value)} />
      {words}
    </label>
  );
  return (
    <Dialog title="What became of it?" onClose={onClose}>
      <p>
        <code>
          {text(row, "method")} {text(row, "path")}
        </code>{" "}
        at {text(row, "vendor")}, {dollars(text(row, "exposure_usd"))} at most. What you say stands in the audit, and
        cannot be changed.
      </p>
      <form onSubmit={submit}>
        <fieldset>
          <legend>Outcome</legend>
          {choice("settled", "It went through, and cost:")}
          {outcome === "settled" && (
            <TextField label="Dollars" value={amount} onValue={setAmount} inputMode="decimal" required />
          )}
          {choice("released", "Nothing was spent")}
        </fieldset>
        <TextField label="Why (stands in the audit)" value={reason} onValue={setReason} />
        {error && <Failure error={error} />}
        <div class="dialog-acts">
          <button type="submit" class="button is-main">
            Resolve
          </button>
          <button type="button" class="button" onClick={onClose}>
            Not now
          </button>
        </div>
      </form>
    </Dialog>
  );
}
