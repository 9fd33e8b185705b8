import { labelProblem } from "../core/label.ts";
import { Problem } from "../core/problem.ts";

export const METADATA_ENTRIES_MAX = 50;
export const METADATA_KEY_CHARACTERS_MAX = 64;
export const METADATA_VALUE_CHARACTERS_MAX = 500;
const REASON_CHARACTERS_MAX = 500;

/** Texts are printed on terminals and stand in logs: no control characters (they could redraw a line), no lone surrogates. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029]/u;

/** A run label, or a prefix of one; the text itself. */
export function checkLabel(label: string, what = "agent_run_label"): string {
  const problem = labelProblem(label);
  if (problem) throw new Problem("invalid", `${what}: ${problem}`);
  return label;
}

/** The name of an agent or a control token. */
export function checkName(name: string, what: string): string {
  const characters = [...name].length;
  if (name.trim() === "" || characters > 200 || UNPRINTABLE.test(name)) {
    const got = UNPRINTABLE.test(name) ? "control characters" : `${characters} characters`;
    throw new Problem("invalid", `${what} must be 1 to 200 printable characters; it has ${got}`);
  }
  return name;
}

/** Why something was stopped; null where no reason was given. */
export function checkReason(reason: string | undefined): string | null {
  if (reason === undefined || reason.trim() === "") return null;
  if (reason.length > REASON_CHARACTERS_MAX || UNPRINTABLE.test(reason)) {
    const limit = `one line of at most ${REASON_CHARACTERS_MAX} characters`;
    throw new Problem("invalid", `reason must be ${limit}; it has ${reason.length}, or control characters`);
  }
  return reason;
}

/** Flat strings that are copied to every audit row of the key, so that they are bounded. */
export function checkMetadata(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(metadata);
  if (entries.length > METADATA_ENTRIES_MAX) {
    throw new Problem("invalid", `metadata has ${entries.length} entries; at most ${METADATA_ENTRIES_MAX} are kept`);
  }
  for (const [key, value] of entries) {
    const shown = JSON.stringify(key.slice(0, METADATA_KEY_CHARACTERS_MAX));
    if (key === "" || key.length > METADATA_KEY_CHARACTERS_MAX || UNPRINTABLE.test(key)) {
      const limit = `1 to ${METADATA_KEY_CHARACTERS_MAX} printable characters`;
      throw new Problem("invalid", `metadata: the name ${shown} must have ${limit}; it has ${key.length}`);
    }
    if (typeof value !== "string") throw new Problem("invalid", `metadata: ${shown} must be text, not ${typeof value}`);
    if (value.length > METADATA_VALUE_CHARACTERS_MAX || !value.isWellFormed()) {
      const limit = `at most ${METADATA_VALUE_CHARACTERS_MAX} characters of Unicode text`;
      throw new Problem("invalid", `metadata: ${shown} must have ${limit}; it has ${value.length}`);
    }
  }
  return metadata;
}
