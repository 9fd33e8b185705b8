import type { Tools } from "./tools.ts";
import type { World } from "./world.ts";

/** One thing that a page promises, tried on a Keybrake of its own. It throws where the promise is not kept. */
export interface Scenario {
  /** A guarantee: "a fan-out is stopped at exactly its cap". */
  readonly title: string;
  readonly run: (world: World) => Promise<void>;
  /** After which the scenario has failed; ten minutes where it does not say. */
  readonly timeoutMs?: number;
}

/** What `examples/<stack>/check.ts` exports as `check`. */
export interface IntegrationCheck {
  /** As people write it: "Ray", "OpenAI Agents SDK". */
  readonly stack: string;
  /** Its folder in `examples/`, and its page in `docs/integrations/` without `.md`. */
  readonly page: string;
  /** Whether the stack's own runtime made the calls, or it cannot run here and its requests were made as plain HTTP. */
  readonly ran: "runtime" | "requests";
  /** What of the stack ran, where its name does not say it: "functions called with .local(), without Modal's cloud". */
  readonly how?: string;
  /** Installs the stack; does nothing where that is done already. */
  readonly install: (tools: Tools) => Promise<unknown>;
  /** The version, as the installed stack says itself. */
  readonly version: (tools: Tools) => Promise<string>;
  readonly scenarios: readonly Scenario[];
}

/** What a passing run leaves in `scripts/integrations/results/<page>.json`. */
export interface IntegrationResult {
  readonly stack: string;
  readonly version: string;
  readonly ran: IntegrationCheck["ran"];
  readonly how?: string;
  /** The titles of those that passed. */
  readonly scenarios: readonly string[];
  readonly result: "passed";
  /** The day (UTC) of the last run: 2026-11-21. */
  readonly date: string;
}
