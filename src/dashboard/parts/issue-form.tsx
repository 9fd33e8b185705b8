import { useState } from "preact/hooks";
import type { TemplateView } from "../../operate/control-plane.ts";
import { api } from "../api.ts";
import { justIssued } from "../revoke.ts";
import { Failure } from "./failure.tsx";
import { TemplateSource } from "./template-source.tsx";
import { TextField } from "./text-field.tsx";

/** A template's inputs as fields, and what every key may have: a label, and limits narrower than the template's. */
export function IssueForm({ template }: { readonly template: TemplateView }) {
  const [inputs, setInputs] = useState<Readonly<Record<string, string>>>({});
  const [label, setLabel] = useState("");
  const [agent, setAgent] = useState("");
  const [expiresIn, setExpiresIn] = useState("");
  const [dailyCap, setDailyCap] = useState("");
  const [error, setError] = useState<Error>();
  // The same for a second click on the same form, so that it cannot make a second key.
  const [attempt, setAttempt] = useState(() => crypto.randomUUID());
  const submit = async (event: Event) => {
    event.preventDefault();
    setError(undefined);
    const body = {
      template: template.name,
      inputs: filled(inputs),
      ...filled({ agent_run_label: label, agent_name: agent, expires_in: expiresIn, daily_usd_cap: dailyCap }),
    };
    try {
      justIssued.set(await api.issueKey(body, attempt));
    } catch (cause) {
      setError(cause as Error);
    }
    setAttempt(crypto.randomUUID());
  };
  return (
    <form onSubmit={submit}>
      <p class="intro">{template.description}</p>
      {template.inputs.map(({ name, description, required }) => (
        <TextField
          key={name}
          label={name}
          note={description}
          value={inputs[name] ?? ""}
          required={required}
          onValue={(value) => setInputs({ ...inputs, [name]: value })}
        />
      ))}
      <TextField
        label="Run label"
        note="What the run is called: it stands on every call, and brakes and searches go by it."
        placeholder="ray-billing/01"
        value={label}
        onValue={setLabel}
      />
      <TextField label="Agent" note="The agent's name, for the audit." value={agent} onValue={setAgent} />
      <div class="side-by-side">
        <TextField
          label="Expires in"
          note="The template's, if left open."
          placeholder="2h"
          value={expiresIn}
          onValue={setExpiresIn}
        />
        <TextField
          label="Daily cap in dollars"
          note="At most the template's."
          inputMode="decimal"
          value={dailyCap}
          onValue={setDailyCap}
        />
      </div>
      {error && <Failure error={error} />}
      <button type="submit" class="button is-main">
        Issue the key
      </button>
      <TemplateSource template={template} />
    </form>
  );
}

/** The fields that were filled in. */
function filled(fields: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(fields).map(([name, value]) => [name, value.trim()] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== ""));
}
