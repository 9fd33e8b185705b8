import { readFileSync } from "node:fs";
import { Problem } from "./core/problem.ts";

/**
 * The store as the environment names it: its URL, or a file that holds the URL, since it may have a password in it. The
 * file's mode is not judged: Kubernetes and Docker hand secrets over as root's, readable to a group or to all inside.
 * @throws Problem where both are set, or the file cannot be read as one line. None of its content is told.
 */
export function storeVariable(url: string | undefined, file: string | undefined): string | undefined {
  if (!file) return url;
  if (url) throw new Problem("usage", "both KEYBRAKE_STORE and KEYBRAKE_STORE_FILE are set", "unset one of them");
  const text = readText(file).trim();
  if (text !== "" && !/\s/.test(text)) return text;
  throw new Problem(
    "invalid",
    `KEYBRAKE_STORE_FILE is ${file}, and it has ${text === "" ? "nothing" : "more than a URL"} in it`,
    "write the URL of the store into it, on one line",
  );
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new Problem(
      "invalid",
      `KEYBRAKE_STORE_FILE is ${path}, and it cannot be read: ${(cause as NodeJS.ErrnoException).code}`,
      "give the path of a file that Keybrake's user can read, or unset it",
    );
  }
}
