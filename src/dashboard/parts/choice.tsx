import { Field } from "./field.tsx";

interface Properties {
  readonly label: string;
  readonly value: string;
  /** Value and what stands for it. */
  readonly choices: readonly (readonly [value: string, text: string])[];
  readonly onValue: (value: string) => void;
}

/** One of several values. */
export function Choice({ label, value, choices, onValue }: Properties) {
  return (
    <Field label={label}>
      {(id) => (
        <select id={id} value={value} onChange={(event) => onValue(event.currentTarget.value)}>
          {choices.map(([each, text]) => (
            <option key={each} value={each} selected={each === value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
