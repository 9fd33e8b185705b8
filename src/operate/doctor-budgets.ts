import { existsSync } from "node:fs";
import type { FindingView } from "./about.ts";
import type { ControlPlaneOptions } from "./options.ts";

type Finding = Omit<FindingView, "check">;

/** `budgets.yaml`: broken, it would keep a server from starting; where one runs, what it read before is in use there. */
export function budgets({ budgets: set }: ControlPlaneOptions): readonly Finding[] {
  if (!existsSync(set.path)) return [];
  const { budgets: known, problem } = set.current();
  if (problem === undefined) {
    return [{ level: "ok", message: `${known.length} budgets above keys in ${set.path}`, hint: null }];
  }
  return [
    {
      level: "error",
      message: `${problem}; its last good version, of ${known.length} budgets, is in use`,
      hint: "`keybrake policy lint` shows every error",
    },
  ];
}
