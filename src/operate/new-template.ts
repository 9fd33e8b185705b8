import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { Problem } from "../core/problem.ts";
import { POLICY_FIELDS } from "../policy/schema.ts";
import { EVERY_INPUT, type TemplateInput } from "../policy/template.ts";

/** A template that is still to be written. */
export interface TemplateDraft {
  readonly name: string;
  /** The policy's fields, `vendor` among them. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Inputs that may stand in the fields; those that stand in none are left out. */
  readonly inputs: readonly TemplateInput[];
}

const LINE_CHARACTERS_MAX = 110;

/** The YAML of a template: how a key is issued from it, then each field with what it does. */
export function templateText({ name, fields, inputs }: TemplateDraft): string {
  const known = POLICY_FIELDS.filter((field) => fields[field.name] !== undefined);
  const isFirst = (field: string) => field === "vendor" || field === "description";
  const blocks = known.map(({ name: field, kind, description }) => {
    const value = kind === "usd" || kind === "count" ? bareNumber(fields[field]) : fields[field];
    const yaml = stringify({ [field]: value }, { lineWidth: 0 }).trimEnd();
    return { field, text: isFirst(field) ? yaml : `${comment(description)}\n${yaml}` };
  });
  const first = blocks.filter(({ field }) => isFirst(field)).map(({ text }) => text);
  const rest = blocks.filter(({ field }) => !isFirst(field)).map(({ text }) => text);
  const used = usedInputs(fields, inputs);
  const sets = used.filter((input) => input.default.kind === "required").map((input) => ` --set ${input.name}=…`);
  const heading = [
    `# ${name}`,
    "#",
    `#   keybrake key issue --template ${name} --label my-run/01${sets.join("")}`,
    "#   keybrake policy lint",
  ].join("\n");
  return `${[heading, first.join("\n"), ...inputBlock(used), ...rest].join("\n\n")}\n`;
}

/**
 * Writes a new template.
 * @returns its path.
 * @throws Problem `conflict` where there is a file of that name, which stays as it is.
 */
export function writeNewTemplate(directory: string, name: string, text: string): string {
  const path = join(directory, `${name}.yaml`);
  mkdirSync(directory, { recursive: true });
  try {
    writeFileSync(path, text, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new Problem("conflict", `there is a ${path} already, and it stays as it is`, "choose another name");
  }
  return path;
}

function usedInputs(fields: Readonly<Record<string, unknown>>, inputs: readonly TemplateInput[]) {
  const named = new Set([...JSON.stringify(fields).matchAll(EVERY_INPUT)].map(([, input]) => input));
  return inputs.filter((input) => named.has(input.name));
}

function inputBlock(inputs: readonly TemplateInput[]): readonly string[] {
  if (inputs.length === 0) return [];
  const declared = inputs.map(({ name, description, default: otherwise }) => [
    name,
    {
      ...(description === undefined ? {} : { description }),
      ...(otherwise.kind === "any" ? { default: "any" } : {}),
      ...(otherwise.kind === "value" ? { default: otherwise.value } : {}),
    },
  ]);
  const yaml = stringify({ inputs: Object.fromEntries(declared) }, { lineWidth: 0 }).trimEnd();
  return [`# What --set can fill.\n${yaml}`];
}

/** `500` for the text "500", so that it need not be quoted. */
function bareNumber(value: unknown): unknown {
  return typeof value === "string" && /^\d{1,15}(\.\d{1,6})?$/.test(value) ? Number(value) : value;
}

/** The sentence as lines of a comment. */
function comment(sentence: string): string {
  const lines: string[] = [];
  for (const word of sentence.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < LINE_CHARACTERS_MAX)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`# ${word}`);
  }
  return lines.join("\n");
}
