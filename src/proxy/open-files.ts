/** What a server may have open at once. */
export interface OpenFilesShare {
  readonly connectionsMax: number;
  readonly concurrentCallsMax: number;
}

/** More than this is no load for one process, however many files it may open. */
const CONNECTIONS_MAX = 32_768;

/** Database, WAL, standard streams, the operators' own listener, name look-ups, kept-alive connections to vendors. */
const OTHER_FILES = 256;

/**
 * Divides the files that the process may open between calls at the vendors (a socket each, and with the sandbox one more
 * at its other end) and the connections of clients. Bun ends the process when it runs out of files.
 */
export function shareOpenFiles(openFilesMax: number, callsWanted: number): OpenFilesShare {
  const free = Math.max(64, openFilesMax - OTHER_FILES);
  const concurrentCallsMax = Math.min(callsWanted, Math.floor(free / 4));
  return { concurrentCallsMax, connectionsMax: Math.min(CONNECTIONS_MAX, free - 2 * concurrentCallsMax) };
}

interface Report {
  readonly userLimits?: { readonly open_files?: { readonly soft?: unknown } };
}

/** How many files this process may open; a low guess where the platform does not say. */
export function openFilesMax(): number {
  const report = process.report?.getReport() as Report | undefined;
  const soft = report?.userLimits?.open_files?.soft;
  if (soft === "unlimited") return Number.MAX_SAFE_INTEGER;
  return typeof soft === "number" ? soft : 1_024;
}
