import { Problem } from "../../core/problem.ts";
import { type Position, readYaml, type YamlData } from "../../core/yaml-data.ts";
import { declareVendor } from "../declared.ts";
import type { Vendor } from "../vendor.ts";
import { checkDeclaration } from "./check-declaration.ts";
import { checkShape, isMap, type Report } from "./check-shape.ts";
import { nameProblem } from "./name.ts";
import { type Declaration, DeclarationSchema } from "./schema.ts";

/** One thing to mend in a file that declares vendors. */
export interface DeclarationProblem extends Position {
  /** An error keeps Keybrake from starting with the file; a warning does not. */
  readonly severity: "error" | "warning";
  readonly message: string;
  /** The known name that an unknown one was probably meant to be. */
  readonly nearest?: string;
}

export interface DeclarationReading {
  /** Those without an error. */
  readonly vendors: readonly Vendor[];
  /** In the order of their lines. */
  readonly problems: readonly DeclarationProblem[];
}

/** Reads what stands under `vendors:` in a YAML text. `known` are the vendors that there are already: names are theirs. */
export function readDeclarations(text: string, known: readonly Vendor[]): DeclarationReading {
  const yaml = readYaml(text);
  if (yaml.problems.length > 0) {
    return { vendors: [], problems: yaml.problems.map((problem) => ({ ...problem, severity: "error" })) };
  }
  const problems: DeclarationProblem[] = [];
  const declared = isMap(yaml.data) ? yaml.data["vendors"] : undefined;
  const reports = reporters(yaml, problems);
  if (!isMap(declared)) {
    if (declared !== undefined) reports.error(["vendors"], "vendors must be a map of names and declarations");
    return { vendors: [], problems };
  }
  const vendors: Vendor[] = [];
  for (const [name, value] of Object.entries(declared)) {
    const path = ["vendors", name];
    const before = problems.length;
    const isSound = () => problems.slice(before).every(({ severity }) => severity === "warning");
    checkShape(DeclarationSchema, value, path, reports.error);
    if (isSound()) checkDeclaration(value as Declaration, path, reports);
    const unnamed = nameProblem(name, known);
    if (unnamed !== undefined) reports.error(path, unnamed, { at: "key" });
    if (isSound()) vendors.push(declareVendor(name, value as Declaration));
  }
  return { vendors, problems: problems.toSorted((a, b) => a.line - b.line || a.column - b.column) };
}

function reporters({ positionOf }: YamlData, problems: DeclarationProblem[]): Record<"error" | "warning", Report> {
  const reporter =
    (severity: DeclarationProblem["severity"]): Report =>
    (path, message, { nearest, at = "value" } = {}) => {
      problems.push({ ...positionOf(path, at), severity, message, ...(nearest === undefined ? {} : { nearest }) });
    };
  return { error: reporter("error"), warning: reporter("warning") };
}

/**
 * The vendors that a file declares.
 * @throws Problem `invalid` with file, line and column of the first error, and how many more there are.
 */
export function declaredVendors(text: string, path: string, known: readonly Vendor[]): readonly Vendor[] {
  const { vendors, problems } = readDeclarations(text, known);
  const errors = problems.filter(({ severity }) => severity === "error");
  const [first] = errors;
  if (!first) return vendors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  throw new Problem(
    "invalid",
    `${path}:${first.line}:${first.column}: ${first.message}${more}`,
    `\`keybrake vendor lint ${path}\` shows every error`,
  );
}
