import type { ConfigFile } from "./config-file.ts";

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
