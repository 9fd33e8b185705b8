import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HttpClient } from "./http-client.ts";
import { ledgerViolations, type SentCall, type VendorCall } from "./ledger-violations.ts";
import { charge, makeRig, type Rig, takeSeen } from "./rig.ts";
import type { Section, SectionOptions, SectionResult } from "./section.ts";
import { type ServerProcess, saysWhy } from "./server-process.ts";

/** Room for a database and a WAL of its usual length (4,000 pages); a filler takes the rest. */
const DISK_MEGABYTES = 40;
const CALLS_UNTIL_FULL_MAX = 3_000;
const CAP_USD = 100_000;
const CENTS = 100;
const ANSWER_MS_MAX = 1_000;

export const DISK_RUNS: Section = {
  name: "disk",
  title: "disk full and freed, file size limit, read-only directory",
  unit: "fillings",
  counts: { full: 100, usual: 100, quick: 10 },
  run: runDisk,
};

/** A way to leave no room, and to give it back. */
interface Disk {
  readonly name: string;
  readonly rig: Rig;
  start(): Promise<ServerProcess>;
  fill(server: ServerProcess): void;
  free(server: ServerProcess): void;
  remove(): Promise<void>;
}

interface Outcome {
  readonly violations: string[];
  readonly figures: Record<string, number | string>;
}

async function runDisk({ count, onProgress }: SectionOptions): Promise<SectionResult> {
  const outcome: Outcome = { violations: [], figures: {} };
  let done = 0;
  for (const [name, make] of [
    ["tmpfs", makeFullDisk],
    ["file_size_limit", makeLimitedFiles],
  ] as const) {
    const disk = await make();
    if (typeof disk === "string") {
      outcome.figures[name] = `skipped: ${disk}`;
      continue;
    }
    try {
      outcome.figures[`${name}_answered_503`] = await fillAgain(disk, count, outcome.violations, () =>
        onProgress(++done),
      );
    } finally {
      await disk.remove();
    }
  }
  await startReadOnly(outcome);
  return { done, ...outcome };
}

/** Fills and frees the disk under a running server; the number of calls that were refused for it. */
async function fillAgain(disk: Disk, count: number, violations: string[], onDone: () => void): Promise<number> {
  const server = await disk.start();
  const key = await disk.rig.issueKey(server, CAP_USD);
  const client = new HttpClient(server.port);
  const sent: SentCall[] = [];
  const seen: VendorCall[] = [];
  let refused = 0;
  const call = async (where: string, allowed: readonly number[]) => {
    const began = performance.now();
    const one = await charge(client, key, `d-${sent.length}`, CENTS);
    const tookMs = performance.now() - began;
    sent.push(one);
    seen.push(...takeSeen(disk.rig.vendor));
    if (one.status === 503) refused += 1;
    if (!allowed.includes(one.status ?? 0)) violations.push(`${disk.name}, ${where}: answered ${one.status}`);
    if (tookMs > ANSWER_MS_MAX) violations.push(`${disk.name}, ${where}: answered after ${Math.round(tookMs)} ms`);
    return one.status;
  };
  for (let filling = 0; filling < count; filling++) {
    disk.fill(server);
    let full = false;
    for (let turn = 0; turn < CALLS_UNTIL_FULL_MAX && !full; turn++) full = (await call("full", [200, 503])) === 503;
    if (!full) violations.push(`${disk.name}: the full disk was never noticed`);
    disk.free(server);
    await call("freed", [200]);
    onDone();
  }
  if (!(await saysWhy(server))) violations.push(`${disk.name}: nothing in the log says why`);
  const [rows, usedUsd] = await Promise.all([disk.rig.rows(server, key), disk.rig.usedUsd(server, key)]);
  violations.push(...ledgerViolations({ capUsd: CAP_USD, rows, usedUsd, sent, seen }), ...(await disk.rig.doctor()));
  client.close();
  return refused;
}

async function makeFullDisk(): Promise<Disk | string> {
  const mounted = mountTmpfs();
  if (typeof mounted === "string") return mounted;
  const filler = join(mounted.folder, "filler");
  const rig = await makeRig({ dataDir: join(mounted.folder, "data") });
  return {
    name: "full disk",
    rig,
    start: () => rig.start(),
    fill: () => {
      writeFileSync(filler, "");
      // Large pieces first, then what is left between them and the end.
      for (const bytes of [1 << 20, 4096]) {
        try {
          for (;;) appendFileSync(filler, Buffer.alloc(bytes));
        } catch (cause) {
          if ((cause as NodeJS.ErrnoException).code !== "ENOSPC") throw cause;
        }
      }
    },
    free: () => rmSync(filler, { force: true }),
    remove: async () => {
      await rig.stop();
      mounted.unmount();
    },
  };
}

interface Mounted {
  readonly folder: string;
  remount(how: "ro" | "rw"): void;
  unmount(): void;
}

/** A small disk in memory; or why there is none. */
function mountTmpfs(): Mounted | string {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "mounting a disk needs root on Linux";
  const folder = mkdtempSync(join(tmpdir(), "keybrake-disk-"));
  const run = (...command: string[]) => Bun.spawnSync(command, { stdout: "ignore", stderr: "pipe" });
  const { exitCode, stderr } = run("mount", "-t", "tmpfs", "-o", `size=${DISK_MEGABYTES}m,mode=0700`, "tmpfs", folder);
  if (exitCode !== 0) {
    rmSync(folder, { recursive: true, force: true });
    return `mount is not allowed here (${stderr.toString().trim()})`;
  }
  return {
    folder,
    remount: (how) => void run("mount", "-o", `remount,${how}`, folder),
    unmount: () => {
      run("umount", folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A limit on the size of files, which any user may put on a process: its writes fail where they would make one longer. */
async function makeLimitedFiles(): Promise<Disk | string> {
  if (!Bun.which("prlimit")) return "prlimit is not installed";
  const rig = await makeRig();
  // The signal that comes with the limit would end the process; a full disk sends none.
  const wrapper = ["/bin/sh", "-c", 'trap "" XFSZ; exec "$@"', "sh"];
  const limit = (server: ServerProcess, bytes: number | "unlimited") => {
    const { exitCode, stderr } = Bun.spawnSync(["prlimit", "--pid", String(server.pid), `--fsize=${bytes}:`]);
    if (exitCode !== 0) throw new Error(`prlimit: ${stderr.toString()}`);
  };
  return {
    name: "file size limit",
    rig,
    start: () => rig.start({ wrapper }),
    fill: (server) => limit(server, statSync(join(rig.bench.dataDir, "keybrake.db-wal")).size),
    free: (server) => limit(server, "unlimited"),
    remove: () => rig.stop(),
  };
}

const REFUSED_START_MS_MAX = 5_000;

/** A server refuses to start on a disk that it cannot write, and says why in one line. */
async function startReadOnly({ violations, figures }: Outcome): Promise<void> {
  const mounted = mountTmpfs();
  if (typeof mounted === "string") {
    figures["read_only_start"] = `skipped: ${mounted}`;
    return;
  }
  const rig = await makeRig({ dataDir: join(mounted.folder, "data") });
  try {
    mounted.remount("ro");
    const server = rig.spawn();
    const code = await Promise.race([server.exited, Bun.sleep(REFUSED_START_MS_MAX).then(() => undefined)]);
    const errors = server
      .output()
      .split("\n")
      .filter((line) => line.startsWith("keybrake: error:"));
    if (code === undefined || code === 0) violations.push(`read-only directory: the server ended with ${code}`);
    if (errors.length !== 1) violations.push(`read-only directory: it said ${JSON.stringify(server.output())}`);
    figures["read_only_start"] = errors[0]?.replaceAll(mounted.folder, "FOLDER") ?? "nothing was said";
  } finally {
    await rig.stop().catch(() => {});
    mounted.remount("rw");
    mounted.unmount();
  }
}
