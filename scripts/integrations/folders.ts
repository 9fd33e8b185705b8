import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dir, "../..");
export const EXAMPLES = join(ROOT, "examples");
export const PAGES = join(ROOT, "docs/integrations");
export const RESULTS = join(import.meta.dir, "results");
/** Virtual environments, node_modules and copies of the examples; not committed. */
export const TOOLS = join(ROOT, ".tools/integrations");
