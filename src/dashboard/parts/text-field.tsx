import type { ComponentChildren } from "preact";
import { Field } from "./field.tsx";

interface Properties {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly note?: ComponentChildren;
  /** Typed unseen. */
  readonly isSecret?: boolean;
  readonly placeholder?: string;
  readonly required?: boolean;
  readonly inputMode?: "decimal";
}

/** One line of text in a form. */
export function TextField({ label, value, onValue, note, isSecret, ...more }: Properties) {
  return (
    <Field label={label} note={note}>
      {(id, noteId) => {
        const own = {
          id,
          value,
          autoComplete: "off",
          autoCapitalize: "off",
          spellcheck: false,
          "aria-describedby": noteId,
          onInput: (event: preact.TargetedInputEvent<HTMLInputElement>) => onValue(event.currentTarget.value),
          ...more,
        } as const;
        return isSecret ? <input type="password" {...own} /> : <input type="text" {...own} />;
      }}
    </Field>
  );
}
