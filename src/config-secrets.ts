import type { ConfigFile } from "./config-file.ts";
import type { SecretPlace } from "./core/alert-target.ts";

/** Where `${what}_file` or `${what}_env` says that a secret is. @throws Problem where both do. */
export function secretPlace(target: ConfigFile, what: string): SecretPlace | undefined {
  const file = target.text(`${what}_file`);
  const environment = target.text(`${what}_env`);
  if (file !== undefined && environment !== undefined) target.fail(`${what}_env`, `left out beside ${what}_file`);
  if (file !== undefined) return { file };
  return environment === undefined ? undefined : { environment };
}
