import type { IssuedKeyView } from "../../operate/control-plane.ts";
import { CopyButton } from "./copy-button.tsx";
import { Dialog } from "./dialog.tsx";
import { Lines } from "./lines.tsx";
import { Until } from "./until.tsx";

interface Properties {
  readonly issued: IssuedKeyView;
  readonly onClose: () => void;
}

/** A new key and the lines for the agent; it is never shown again. */
export function IssuedKey({ issued, onClose }: Properties) {
  const variables = Object.entries(issued.environment).map(([name, value]) => `${name}=${value}`);
  return (
    <Dialog title="A new vault key" onClose={onClose}>
      <p class="warning">It is shown this once. Close the window when the agent has it.</p>
      <div class="secret">
        <code>{issued.vault_key}</code>
        <CopyButton text={issued.vault_key} what="the vault key" />
      </div>
      <p class="muted">
        {issued.agent_run_label ?? issued.id}, good for another <Until time={issued.expires_at} over="moment" />
      </p>
      {issued.warnings.map((warning) => (
        <p key={warning} class="warning">
          {warning}
        </p>
      ))}
      <h3>Lines for the agent</h3>
      {issued.agent_lines.map(({ vendor, language, lines }) => (
        <Lines
          key={`${vendor} ${language}`}
          title={issued.vendors.length === 1 ? language : `${vendor}, ${language}`}
          lines={lines}
        />
      ))}
      <Lines title="Environment" lines={variables} />
    </Dialog>
  );
}
