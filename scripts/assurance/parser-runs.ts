import { posix } from "node:path";
import { formOptions, parseForm } from "../../src/proxy/parse/form.ts";
import { parseStrictJson } from "../../src/proxy/parse/json.ts";
import { parseTarget } from "../../src/proxy/parse/target.ts";
import { randomFrom } from "../random.ts";
import { INPUTS } from "./parser-inputs.ts";
import type { Section, SectionOptions, SectionResult } from "./section.ts";

export const PARSER_RUNS: Section = {
  name: "parsers",
  title: "inputs that two parsers could read differently: form, JSON, path",
  unit: "inputs of each kind",
  counts: { full: 10_000_000, usual: 5_000_000, quick: 50_000 },
  run: runParsers,
};

const encoder = new TextEncoder();
const FORM_OPTIONS = formOptions(new Set(["MediaUrl"]));
const VENDORS: ReadonlySet<string> = new Set(["stripe"]);

/** What is wrong with an input that was accepted; undefined where others read it the same; `refused` where it was not accepted. */
type Comparison = (text: string) => string | "refused" | undefined;

/** Each of our strict parsers beside one that somebody else wrote. */
const COMPARISONS: Readonly<Record<keyof typeof INPUTS, Comparison>> = {
  form: (text) => {
    const ours = parseForm(encoder.encode(text), FORM_OPTIONS);
    if (!ours.ok) return "refused";
    const theirs = numbered(new URLSearchParams(text));
    return Bun.deepEquals([...ours.value], theirs) ? undefined : `URLSearchParams reads ${JSON.stringify(theirs)}`;
  },
  json: (text) => {
    const ours = parseStrictJson(encoder.encode(text));
    if (!ours.ok) return "refused";
    const theirs: unknown = JSON.parse(text);
    if (!Bun.deepEquals(ours.value.value, theirs)) return `JSON.parse reads ${JSON.stringify(theirs)}`;
    // JSON.parse keeps the last of two fields with one name, and others the first.
    const written = text.replace(/"(?:[^"\\]|\\.)*"/g, "").split(":").length - 1;
    return written === namesIn(theirs) ? undefined : `${written} names are written and ${namesIn(theirs)} are read`;
  },
  target: (text) => {
    const ours = parseTarget(text, VENDORS);
    if (!ours.ok) return "refused";
    const { path, query } = ours.value;
    const url = new URL(`https://vendor.example${path}${query === "" ? "" : `?${query}`}`);
    if (url.pathname !== path) return `new URL makes ${url.pathname} of the path`;
    if (url.search.slice(1) !== query || url.hash !== "") return `new URL makes ${url.search} of the query`;
    const decoded = decodeURIComponent(path);
    if (decoded.includes("\\")) return "it has a backslash once it is decoded";
    return posix.normalize(decoded) === decoded ? undefined : `it is ${posix.normalize(decoded)} once it is decoded`;
  },
};

/** `x[]` as `x[0]`, `x[1]`, in order. */
function numbered(pairs: Iterable<[string, string]>): [string, string][] {
  const counts = new Map<string, number>();
  return [...pairs].map(([name, value]) => {
    const list = name.endsWith("[]") ? name.slice(0, -2) : name === "MediaUrl" ? name : undefined;
    if (list === undefined) return [name, value];
    const index = counts.get(list) ?? 0;
    counts.set(list, index + 1);
    return [`${list}[${index}]`, value];
  });
}

function namesIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((sum: number, child) => sum + namesIn(child), own);
}

const BREATH_EVERY = 20_000;
const VIOLATIONS_MAX = 20;

async function runParsers({ count, seed, onProgress }: SectionOptions): Promise<SectionResult> {
  const violations: string[] = [];
  const accepted = { form: 0, json: 0, target: 0 };
  const random = randomFrom(seed);
  for (let done = 0; done < count && violations.length < VIOLATIONS_MAX; done++) {
    for (const kind of ["form", "json", "target"] as const) {
      const text = INPUTS[kind](random);
      const found = compare(kind, text);
      if (found === "refused") continue;
      accepted[kind] += 1;
      if (found !== undefined) violations.push(`${kind} ${JSON.stringify(text)}: ${found}`);
    }
    if (done % BREATH_EVERY !== 0) continue;
    onProgress(done);
    await Bun.sleep(0);
  }
  const { form, json, target } = accepted;
  return { done: count, violations, figures: { forms_accepted: form, jsons_accepted: json, targets_accepted: target } };
}

function compare(kind: keyof typeof INPUTS, text: string): ReturnType<Comparison> {
  try {
    return COMPARISONS[kind](text);
  } catch (cause) {
    return `another parser refuses it: ${(cause as Error).message}`;
  }
}
