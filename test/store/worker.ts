import { join } from "node:path";

/** A process of its own that runs one of the scripts in workers/. */
export interface Worker {
  /** The next line that it prints; undefined at the end of its output. */
  line(): Promise<string | undefined>;
  /** Everything that it still prints, until it has ended. */
  rest(): Promise<string[]>;
  /** Lets a worker go on that waits for a line. */
  go(): void;
  /** SIGKILL: nothing of it runs any more. */
  kill(): void;
  readonly exited: Promise<number>;
}

export function startWorker(script: string, ...args: string[]): Worker {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "workers", script), ...args], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines = linesOf(child.stdout);
  const line = async () => (await lines.next()).value as string | undefined;
  return {
    line,
    rest: async () => {
      const all: string[] = [];
      for (let next = await line(); next !== undefined; next = await line()) all.push(next);
      return all;
    },
    go: () => {
      child.stdin.write("go\n");
      child.stdin.flush();
    },
    kill: () => child.kill("SIGKILL"),
    exited: child.exited,
  };
}

/** Whole lines only: one that was cut off by a kill was not printed. */
async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    const whole = text.split("\n");
    text = whole.pop()!;
    yield* whole;
  }
}
