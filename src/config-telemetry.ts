import type { ConfigFile } from "./config-file.ts";
import { Problem } from "./core/problem.ts";
import { LOG_LEVELS, type LogLevel } from "./log.ts";

/** Who may read `/metrics`: anyone who reaches the address, or the bearer of a token with the role admin or auditor. */
export type MetricsAccess = "anyone" | "token";

/** @throws Problem that names the setting, what is allowed and what was given. */
export function readMetricsAccess(file: ConfigFile): MetricsAccess {
  const section = file.section("metrics");
  const access = section.text("access") ?? "anyone";
  section.refuseUnknown();
  if (access === "anyone" || access === "token") return access;
  return section.fail("access", "anyone or token");
}

/**
 * How much the server's log tells; the variable stands above the file.
 * @throws Problem that names the setting, what is allowed and what was given.
 */
export function readLogLevel(file: ConfigFile, variable: string | undefined): LogLevel {
  const written = file.text("log_level");
  const allowed = LOG_LEVELS.join(", ");
  if (written !== undefined && !isLevel(written)) file.fail("log_level", `one of ${allowed}`);
  if (variable === undefined || variable === "") return written ?? "info";
  if (isLevel(variable)) return variable;
  throw new Problem(
    "invalid",
    `KEYBRAKE_LOG_LEVEL is ${JSON.stringify(variable.slice(0, 60))}; it must be one of ${allowed}`,
    "mend or unset it",
  );
}

function isLevel(text: string): text is LogLevel {
  return (LOG_LEVELS as readonly string[]).includes(text);
}
