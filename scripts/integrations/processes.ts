import { spawn } from "node:child_process";

/** How a command ended. */
export interface Finished {
  /** Its exit code; 128 and more where a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** Beside those that every command of its kind gets; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string;
  /** After which it is killed with all that it has started. */
  readonly timeoutMs?: number;
}

/** A command that runs beside the scenario: a worker, a server. */
export interface Running {
  readonly pid: number;
  /** Everything that it has written so far, to stdout and stderr. */
  output(): string;
  readonly finished: Promise<Finished>;
  /** Sends the signal to it alone, as an operator would, and waits for its end. */
  kill(signal?: NodeJS.Signals): Promise<Finished>;
  /** Ends it with all that it has started. */
  killAll(): Promise<Finished>;
}

type Environment = Readonly<Record<string, string | undefined>>;

const SIGNALLED = 128;
/** SIGKILL's number: what a shell would say of such an end. */
const KILLED = SIGNALLED + 9;

/** Process groups that have not been ended. */
const groups = new Set<number>();

/** Ends whatever was started and is still there: for a run that is interrupted. */
export function endAllProcesses(): void {
  for (const pid of groups) endGroup(pid);
}

/** Starts `command` in a process group of its own, so that nothing of it outlives the scenario. */
export function startProcess(
  command: readonly string[],
  { cwd, env, stdin }: { cwd: string; env: Environment; stdin?: string },
): Running {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { cwd, env: withoutUndefined(env), detached: true });
  if (child.pid !== undefined) groups.add(child.pid);
  const parts: { stdout: string[]; stderr: string[]; all: string[] } = { stdout: [], stderr: [], all: [] };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      parts[name].push(text);
      parts.all.push(text);
    });
  }
  child.stdin.on("error", () => {});
  child.stdin.end(stdin ?? "");
  const finished = new Promise<Finished>((done) => {
    const end = (code: number) => done({ code, stdout: parts.stdout.join(""), stderr: parts.stderr.join("") });
    child.on("error", (error) => {
      parts.stderr.push(`${error.message}\n`);
      end(SIGNALLED - 1);
    });
    // Not "close": what it has left behind may hold its output open for ever.
    child.on("exit", (code, signal) => setImmediate(() => end(code ?? (signal === null ? SIGNALLED : KILLED))));
  });
  return {
    pid: child.pid ?? 0,
    output: () => parts.all.join(""),
    finished,
    kill: (signal = "SIGTERM") => {
      child.kill(signal);
      return finished;
    },
    killAll: () => {
      endGroup(child.pid);
      return finished;
    },
  };
}

/** Runs `command` to its end. @throws Error where it takes longer than `timeoutMs`, with what it has written. */
export async function runProcess(
  command: readonly string[],
  options: { cwd: string; env: Environment; stdin?: string; timeoutMs: number },
): Promise<Finished> {
  const running = startProcess(command, options);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    void running.killAll();
  }, options.timeoutMs);
  const finished = await running.finished;
  clearTimeout(timer);
  endGroup(running.pid);
  if (isLate)
    throw new Error(`${told(command)} was not done after ${options.timeoutMs} ms:\n${tail(running.output())}`);
  return finished;
}

/** @throws Error with the end of what it has written, where it did not exit with 0. */
export function succeeded(command: readonly string[], finished: Finished): Finished {
  if (finished.code === 0) return finished;
  throw new Error(`${told(command)} exited ${finished.code}:\n${tail(finished.stdout)}\n${tail(finished.stderr)}`);
}

/** The last lines of `text`. */
export function tail(text: string, lines = 40): string {
  return text.trimEnd().split("\n").slice(-lines).join("\n");
}

function told(command: readonly string[]): string {
  const words = command.join(" ");
  return words.length > 200 ? `${words.slice(0, 200)}…` : words;
}

function endGroup(pid: number | undefined): void {
  if (!pid) return;
  groups.delete(pid);
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing of it is left.
  }
}

function withoutUndefined(env: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
