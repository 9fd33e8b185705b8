import type { AuditExport, CheckpointText, ExportAuditRequest } from "../../operate/audit-chain-verbs.ts";
import type { ControlPlane } from "../../operate/control-plane.ts";
import { verifyExportFile } from "../../operate/verify-export.ts";
import { filterQuery, LONG_MS } from "./audit-filter.ts";
import { Unreachable } from "./failure.ts";
import { type RemoteClient, segment } from "./request.ts";

type AuditVerbs = Pick<
  ControlPlane,
  "queryAudit" | "auditTotals" | "resolveCall" | "verifyAudit" | "verifyExport" | "exportAudit" | "pruneAudit"
>;

/** Of all files of checkpoints together; a body has a megabyte at most unless the server says otherwise. */
const CHECKPOINT_CHARACTERS_MAX = 512 * 1024;

/** What has happened. How far a long check is, is not told on the way. */
export function remoteAudit(client: RemoteClient): AuditVerbs {
  return {
    queryAudit: (filter, page) => client.ask("GET", "/audit", { query: { ...filterQuery(filter), ...page } }),
    auditTotals: (filter) => client.ask("GET", "/audit/totals", { query: filterQuery(filter), timeoutMs: LONG_MS }),
    resolveCall: (id, request) => client.ask("POST", `/audit/${segment(id)}/resolve`, { body: request }),
    verifyAudit: async ({ checkpoints = [] } = {}) => {
      const asking = { timeoutMs: LONG_MS, isRepeatable: true };
      if (checkpoints.length === 0) return client.ask("GET", "/audit/verify", asking);
      const charactersMax = CHECKPOINT_CHARACTERS_MAX / checkpoints.length;
      const body = { checkpoints: await Promise.all(checkpoints.map((text) => newestLines(text, charactersMax))) };
      return client.ask("POST", "/audit/verify", { ...asking, body });
    },
    // The file is here and the key is there: what can be seen without it is seen.
    verifyExport: (path) => verifyExportFile(path, undefined),
    exportAudit: (request) => remoteExport(client, request),
    pruneAudit: ({ olderThanMs, dryRun = false }) =>
      client.ask("POST", "/audit/prune", {
        body: { older_than: `${olderThanMs / 1_000}s`, dry_run: dryRun },
        isRepeatable: true,
        timeoutMs: LONG_MS,
      }),
  };
}

/** The end of a file: each checkpoint vouches for all that is before it, so that the newest ones say most. */
async function newestLines({ name, lines, firstLine = 1 }: CheckpointText, charactersMax: number) {
  const kept: string[] = [];
  let characters = 0;
  let first = firstLine;
  for await (const line of lines) {
    kept.push(line);
    characters += line.length + 1;
    while (characters > charactersMax && kept.length > 1) {
      characters -= kept.shift()!.length + 1;
      first += 1;
    }
  }
  return { name, text: kept.join("\n"), first_line: first };
}

function remoteExport(client: RemoteClient, { filter, format }: ExportAuditRequest): AuditExport {
  let heads: Readonly<Record<string, unknown>> | undefined;
  const query = { ...filterQuery(filter), format, framed: true };
  async function* chunks(): AsyncGenerator<string> {
    for await (const line of client.lines("/audit/export", query)) {
      const piece = JSON.parse(line) as string | Readonly<Record<string, unknown>>;
      if (typeof piece === "string") yield piece;
      else heads = piece;
    }
    if (heads === undefined) throw broken(client.base);
  }
  return {
    chunks: chunks(),
    heads: () => {
      if (heads === undefined) throw broken(client.base);
      return heads;
    },
  };
}

function broken(base: string): Unreachable {
  return new Unreachable(`${base} broke off before the export was whole`, "ask for it again");
}
