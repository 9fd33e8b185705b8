import { statSync } from "node:fs";

/**
 * What tells one version of a file from the next: modification and change time to the nanosecond, size and inode, so that
 * an edit that keeps the size is seen too. Undefined where there is no file.
 */
export function fileStamp(path: string): string | undefined {
  try {
    // Looked at for every call, and most installations have no such file: an error would cost more than the look.
    const found = statSync(path, { bigint: true, throwIfNoEntry: false });
    return found && `${found.mtimeNs} ${found.ctimeNs} ${found.size} ${found.ino}`;
  } catch {
    return "unreadable"; // reading it says why
  }
}
