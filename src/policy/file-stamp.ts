import { statSync } from "node:fs";

/**
 * What tells one version of a file from the next: modification and change time to the nanosecond, size and inode, so that
 * an edit that keeps the size is seen too. Undefined where there is no file.
 */
export function fileStamp(path: string): string | undefined {
  try {
    const { mtimeNs, ctimeNs, size, ino } = statSync(path, { bigint: true });
    return `${mtimeNs} ${ctimeNs} ${size} ${ino}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    return "unreadable"; // reading it says why
  }
}
