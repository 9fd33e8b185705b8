import { VERSION } from "../core/version.ts";
import type { ControlPlaneOptions } from "./options.ts";

/** What operators can ask of the place that all the others work on. */
export interface InstallationVerbs {
  about(): Promise<AboutView>;
  /** What is misconfigured, and how to mend it. */
  doctor(): Promise<readonly FindingView[]>;
}

export interface AboutView {
  readonly version: string;
  /** The directory of templates, as it is set there. */
  readonly policies_dir: string;
  /** After so many days calls are pruned from the audit; null where they are kept. */
  readonly retention_days: number | null;
}

/** One thing that `doctor` looked at. */
export interface FindingView {
  readonly check: string;
  readonly level: "ok" | "warning" | "error";
  readonly message: string;
  readonly hint: string | null;
}

export function about({ config }: ControlPlaneOptions): AboutView {
  return { version: VERSION, policies_dir: config.policiesDir, retention_days: config.retentionDays ?? null };
}
