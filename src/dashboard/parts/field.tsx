import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface Properties {
  readonly label: string;
  readonly note?: ComponentChildren;
  readonly children: (id: string, noteId: string | undefined) => ComponentChildren;
}

/** A form's field with its name and what is to be said of it. */
export function Field({ label, note, children }: Properties) {
  const id = useId();
  const noteId = note ? `${id}-note` : undefined;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(id, noteId)}
      {noteId && (
        <p class="field-note" id={noteId}>
          {note}
        </p>
      )}
    </div>
  );
}
