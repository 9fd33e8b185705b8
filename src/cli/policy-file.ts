import { readFileSync } from "node:fs";
import { Problem } from "../core/problem.ts";
import { readYaml } from "../core/yaml-data.ts";
import { splitChange } from "../policy/change.ts";
import type { PolicyFields } from "../policy/policy.ts";
import { isMap } from "../policy/rule-values.ts";
import { validateFields } from "../policy/validate.ts";

/**
 * The policy fields that a file holds, as YAML or JSON: for what flags cannot say, like the vendors of a key for several.
 * A field that is null is taken away from a key that is changed.
 * @throws Problem `usage` or `invalid` with file, line and column.
 */
export function readPolicyFile(path: string): PolicyFields {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
    throw new Problem("usage", `cannot read ${path} (${code})`, "--policy takes the path of a YAML or JSON file");
  }
  const { data, problems, positionOf } = readYaml(text);
  const [unread] = problems;
  if (unread) throw new Problem("invalid", `${path}:${unread.line}:${unread.column}: ${unread.message}`);
  if (!isMap(data))
    throw new Problem("invalid", `${path}: it is no map of policy fields like vendor and daily_usd_cap`);
  const result = validateFields(splitChange(data).given);
  if (result.ok) return data;
  const [first] = result.problems;
  const { line, column } = positionOf(first!.path, "key");
  throw new Problem("invalid", `${path}:${line}:${column}: ${first!.message}`);
}
