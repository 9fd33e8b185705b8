import { nearestName } from "../core/nearest.ts";
import { type DataPath, type Position, readYaml, type YamlData } from "../core/yaml-data.ts";
import { CAPPED_KINDS, type CappedKind } from "../vendors/vendor.ts";
import { type BudgetMatch, parseLabelPrefix, type SharedBudget } from "./budget.ts";
import { BUDGET_CAP_FIELDS, BUDGET_FIELDS, BUDGET_MATCH_FIELDS, BUDGETS_FILE_FIELDS } from "./budget-schema.ts";
import { compilePolicy } from "./compile.ts";
import { LIST_ENTRIES_MAX, pathText, readText, shown } from "./field-values.ts";
import type { PolicyDocument } from "./policy.ts";
import { isMap } from "./rule-values.ts";
import { validateFields } from "./validate.ts";

/** The file in the policies directory that holds budgets above keys, and no template. */
export const BUDGETS_FILE_NAME = "budgets.yaml";

const BUDGETS_CHARACTERS_MAX = 4 * 1024 * 1024;
const BUDGET_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const BUDGET_NAME_CHARACTERS_MAX = 100;

export interface BudgetProblem extends Position {
  readonly message: string;
  /** The known name that an unknown one was probably meant to be. */
  readonly nearest?: string;
}

export interface BudgetsReading {
  /** Undefined where there is a problem. */
  readonly budgets: readonly SharedBudget[] | undefined;
  /** In the order of their lines. */
  readonly problems: readonly BudgetProblem[];
  readonly positionOf: YamlData["positionOf"];
}

type Report = (path: DataPath, message: string, nearest?: string) => void;

/**
 * Reads `budgets.yaml` and finds everything that is wrong with it, each with line and column. A name or a vendor with a slip
 * of the hand would be a budget that counts nothing: `vendors` are those that there are.
 */
export function readBudgets(text: string, vendors: readonly string[]): BudgetsReading {
  const yaml = readYaml(text, BUDGETS_CHARACTERS_MAX);
  const problems: BudgetProblem[] = [...yaml.problems];
  const say = (path: DataPath, message: string, nearest: string | undefined, what: "key" | "value") => {
    const position = yaml.positionOf(path, what);
    problems.push(nearest === undefined ? { ...position, message } : { ...position, message, nearest });
  };
  const reader = new BudgetReader(
    vendors,
    (path, message, nearest) => say(path, message, nearest, "value"),
    (path, message, nearest) => say(path, message, nearest, "key"),
  );
  const budgets = problems.length === 0 ? reader.file(yaml.data) : [];
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  return { budgets: problems.length === 0 ? budgets : undefined, problems, positionOf: yaml.positionOf };
}

class BudgetReader {
  readonly #vendors: readonly string[];
  readonly #report: Report;
  /** For what is wrong with a key and not with its value. */
  readonly #reportKey: Report;
  readonly #names = new Set<string>();

  constructor(vendors: readonly string[], report: Report, reportKey: Report) {
    this.#vendors = vendors;
    this.#report = report;
    this.#reportKey = reportKey;
  }

  file(data: unknown): readonly SharedBudget[] {
    const list = isMap(data) ? data["budgets"] : undefined;
    if (isMap(data)) this.#refuseUnknown(data, BUDGETS_FILE_FIELDS, [], BUDGETS_FILE_NAME);
    if (!Array.isArray(list)) {
      const path = isMap(data) && "budgets" in data ? ["budgets"] : [];
      const got = shown(isMap(data) ? (list ?? null) : data);
      this.#report(path, `budgets must be a list like [{ name: platform, daily_usd_cap: 10000 }], or [], not ${got}`);
      return [];
    }
    if (list.length > LIST_ENTRIES_MAX) {
      this.#report(["budgets"], `there are ${list.length} budgets; there can be ${LIST_ENTRIES_MAX}`);
      return [];
    }
    return list.flatMap((entry: unknown, index) => this.#budget(entry, ["budgets", index]) ?? []);
  }

  #budget(entry: unknown, path: DataPath): SharedBudget | undefined {
    if (!isMap(entry)) {
      const like = "{ name: platform, daily_usd_cap: 10000 }";
      this.#report(path, `${pathText(path)} must be a budget like ${like}, not ${shown(entry)}`);
      return undefined;
    }
    const isKnown = this.#refuseUnknown(entry, BUDGET_FIELDS, path, pathText(path));
    if (entry["description"] !== undefined) readText(entry["description"], [...path, "description"], this.#report);
    const name = this.#name(entry["name"], path);
    const match = this.#match(entry["match"], path);
    const caps = this.#caps(entry, path, isKnown);
    return name !== undefined && match && caps ? { name, match, ...caps } : undefined;
  }

  #name(value: unknown, path: DataPath): string | undefined {
    const at = [...path, "name"];
    if (typeof value !== "string" || value.length > BUDGET_NAME_CHARACTERS_MAX || !BUDGET_NAME.test(value)) {
      const rule = `small letters, digits and dashes, at most ${BUDGET_NAME_CHARACTERS_MAX}`;
      this.#report(at, `${pathText(at)} must be a name like per-tenant (${rule}), not ${shown(value ?? null)}`);
      return undefined;
    }
    if (this.#names.has(value)) this.#report(at, `there are two budgets ${value}; their counters would be one`);
    this.#names.add(value);
    return value;
  }

  #match(value: unknown, path: DataPath): BudgetMatch | undefined {
    const at = [...path, "match"];
    const given = value === undefined ? {} : value;
    if (!isMap(given)) {
      const like = '{ vendor: stripe, label_prefix: "tenant:*:" }';
      this.#report(at, `${pathText(at)} must be a map like ${like}, not ${shown(value)}; leave it out for every call`);
      return undefined;
    }
    this.#refuseUnknown(given, BUDGET_MATCH_FIELDS, at, pathText(at));
    return {
      vendor: this.#oneOf(given["vendor"], this.#vendors, "a vendor", [...at, "vendor"]),
      labelPrefix: this.#labelPrefix(given["label_prefix"], [...at, "label_prefix"]),
      kind: this.#oneOf<CappedKind>(given["kind"], CAPPED_KINDS, "a kind of money", [...at, "kind"]),
    };
  }

  #oneOf<Name extends string>(value: unknown, known: readonly Name[], what: string, path: DataPath): Name | undefined {
    if (value === undefined) return undefined;
    const found = known.find((name) => name === value);
    if (found !== undefined) return found;
    const nearest = typeof value === "string" ? nearestName(value, known) : undefined;
    const meant = nearest ? `did you mean ${nearest}?` : `there are ${known.join(", ")}`;
    this.#report(path, `${pathText(path)} must be ${what}, not ${shown(value)}; ${meant}`, nearest);
    return undefined;
  }

  #labelPrefix(value: unknown, path: DataPath): BudgetMatch["labelPrefix"] {
    if (value === undefined) return undefined;
    const text = readText(value, path, this.#report);
    if (text === undefined) return undefined;
    try {
      return parseLabelPrefix(value as string);
    } catch (error) {
      this.#report(path, `${pathText(path)} ${shown(text)} ${(error as RangeError).message}`);
      return undefined;
    }
  }

  /** @param isKnown whether every field is; one that is not was perhaps to be the cap. */
  #caps(
    entry: Record<string, unknown>,
    path: DataPath,
    isKnown: boolean,
  ): Omit<SharedBudget, "name" | "match"> | undefined {
    const given = BUDGET_CAP_FIELDS.filter((name) => entry[name] !== undefined).map((name) => [name, entry[name]]);
    const read = validateFields(Object.fromEntries(given));
    if (!read.ok) {
      for (const problem of read.problems) this.#report([...path, ...problem.path], problem.message, problem.nearest);
      return undefined;
    }
    const { cap_window: window, ...caps } = read.fields;
    if (window !== undefined && window !== "utc_day") {
      this.#report([...path, "cap_window"], "a budget's cap_window must be utc_day: it is counted by the UTC day");
      return undefined;
    }
    if (Object.keys(caps).length === 0) {
      if (!isKnown) return undefined;
      const fields = BUDGET_CAP_FIELDS.filter((name) => name !== "cap_window").join(", ");
      this.#report(path, `${pathText(path)} has no cap; give it one or more of ${fields}`);
      return undefined;
    }
    const { dailyCapMicros, dailyCap, totalCapMicros, totalCap, dailySendCap } = compilePolicy({
      vendor: "",
      ...caps,
    } as PolicyDocument);
    return { dailyCapMicros, dailyCap, totalCapMicros, totalCap, dailySendCap };
  }

  #refuseUnknown(map: Record<string, unknown>, known: readonly string[], path: DataPath, where: string): boolean {
    for (const name of Object.keys(map)) {
      if (known.includes(name)) continue;
      const nearest = nearestName(name, known);
      const meant = nearest ? `did you mean ${nearest}?` : `there are ${known.join(", ")}`;
      this.#reportKey([...path, name], `${where} has ${shown(name)}; ${meant}`, nearest);
    }
    return Object.keys(map).every((name) => known.includes(name));
  }
}
