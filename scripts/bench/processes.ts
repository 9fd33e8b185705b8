import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { WORK_DIRECTORY } from "./disk.ts";

export type Process = Bun.Subprocess<"ignore" | "pipe" | Blob, "ignore" | "pipe", "ignore" | "pipe" | "inherit">;

const running = new Set<Process>();
const directories = new Set<string>();
let interrupted = false;

/** Whether a signal has told this run to end: nothing is started any more. */
export function isInterrupted(): boolean {
  return interrupted;
}

export interface StartOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** What to do with what it writes; nothing where it is not said. */
  readonly stdout?: "pipe";
  readonly stderr?: "pipe" | "inherit";
}

/** Starts a process that does not outlive this run. */
export function startProcess(command: readonly string[], options: StartOptions = {}): Process {
  const { cwd, environment = {}, stdin, stdout = "ignore", stderr = "ignore" } = options;
  if (interrupted) throw new Error("the run was interrupted");
  const child: Process = Bun.spawn([...command], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { PATH: process.env["PATH"] ?? "", ...environment },
    stdin: stdin === undefined ? "ignore" : new Blob([stdin]),
    stdout,
    stderr,
  });
  running.add(child);
  void child.exited.then(() => running.delete(child));
  return child;
}

/** Runs a process to its end and gives what it wrote. @throws Error with what it said where it fails. */
export async function runProcess(command: readonly string[], options: StartOptions = {}): Promise<string> {
  const child = startProcess(command, { stderr: "pipe", ...options, stdout: "pipe" });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout as ReadableStream).text(),
    child.stderr ? new Response(child.stderr as ReadableStream).text() : "",
    child.exited,
  ]);
  if (code !== 0) throw new Error(`${command.slice(0, 3).join(" ")} exited ${code}: ${stderr}${stdout}`.trim());
  return stdout;
}

const PATIENCE_MS = 10_000;

/** Ends a process that was started here, at last by force, and waits until it is gone. */
export async function stopProcess(child: Process): Promise<void> {
  if (!running.has(child)) return;
  child.kill("SIGTERM");
  const force = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  await child.exited;
  clearTimeout(force);
}

/** Waits until what was written so far is on the disk, so that it is not charged to what is measured next. */
export async function settleDisk(): Promise<void> {
  if (Bun.which("sync")) await runProcess(["sync"]);
}

/** A directory that does not outlive this run. */
export function makeDirectory(name: string): string {
  return ownDirectory(mkdtempSync(join(WORK_DIRECTORY, `keybrake-bench-${name}-`)));
}

/** From now on the directory at `path`, if there will be one, does not outlive this run. */
export function ownDirectory(path: string): string {
  directories.add(path);
  return path;
}

/** It stays after all. */
export function disownDirectory(path: string): void {
  directories.delete(path);
}

function removeDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true });
  directories.delete(path);
}

/** Ends every process and removes every directory of this run. */
export async function cleanUp(): Promise<void> {
  await Promise.all([...running].map(stopProcess));
  for (const path of [...directories]) removeDirectory(path);
}

/** Also after Ctrl-C nothing stays behind; a second one does not wait. */
export function cleanUpOnSignals(): void {
  for (const [signal, number] of [["SIGINT", 2] as const, ["SIGTERM", 15] as const, ["SIGHUP", 1] as const]) {
    process.on(signal, () => {
      if (interrupted) for (const child of running) child.kill("SIGKILL");
      interrupted = true;
      void cleanUp().then(() => process.exit(128 + number));
    });
  }
}

const START_MS_MAX = 30_000;
const LOOK_EVERY_MS = 10;

/** @throws Error where the process ends, or does not listen within half a minute. */
export async function untilListening(child: Process, port: number, name: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < START_MS_MAX; waitedMs += LOOK_EVERY_MS) {
    if (child.exitCode !== null)
      throw new Error(`${name} ended with ${child.exitCode} instead of listening on ${port}`);
    try {
      (await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } })).end();
      return;
    } catch {
      await Bun.sleep(LOOK_EVERY_MS);
    }
  }
  throw new Error(`${name} did not listen on port ${port} within ${START_MS_MAX / 1000} s`);
}
