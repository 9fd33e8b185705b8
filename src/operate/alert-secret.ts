import type { Environment } from "../config.ts";
import type { SecretPlace } from "../core/alert-target.ts";
import { Problem } from "../core/problem.ts";
import { Secret } from "../core/secret.ts";
import { readPrivateFile } from "../vault/private-file.ts";

const SECRET_BYTES_MAX = 4_096;

/**
 * Reads a secret where the configuration says that it is; each time anew, so that a rotated one is used from then on.
 * @throws Problem that names the place and never what is there.
 */
export function readSecret(place: SecretPlace, environment: Environment): Secret {
  const value = "file" in place ? fromFile(place.file) : environment[place.environment];
  const secret = value?.trim();
  if (secret) return new Secret(secret);
  const where = "file" in place ? `the file ${place.file}` : `the environment variable ${place.environment}`;
  const what = value === undefined ? "is not there" : "is empty";
  throw new Problem("invalid", `${where} ${what}`, "keybrake.yaml says that a secret is there");
}

function fromFile(path: string): string | undefined {
  return readPrivateFile(path, { strict: true, bytesMax: SECRET_BYTES_MAX });
}
