/**
 * A thread that says when each request is due, so that the thread that sends and receives need not spin for it: its own
 * timers know whole milliseconds only.
 */
export interface Schedule {
  /** Epoch milliseconds with fractions, like every time here. */
  readonly startMs: number;
  readonly intervalMs: number;
  readonly count: number;
}

declare const self: Worker;

const never = new Int32Array(new SharedArrayBuffer(4));

self.onmessage = ({ data }: MessageEvent<Schedule>) => {
  for (let turn = 0; turn < data.count; turn++) {
    const dueMs = data.startMs + turn * data.intervalMs;
    for (let leftMs = dueMs - nowMs(); leftMs > 0; leftMs = dueMs - nowMs()) Atomics.wait(never, 0, 0, leftMs);
    self.postMessage(dueMs);
  }
};

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
