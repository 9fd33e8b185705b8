const RUNS = 5;

/**
 * The CPU time in milliseconds that `work` takes this thread: the least of some runs, since the first ones are compiled
 * meanwhile. What other processes take of the machine does not count, as it would in the time that passes.
 */
export function workMs(work: () => void): number {
  const runs = Array.from({ length: RUNS }, () => {
    const before = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1_000;
  });
  return Math.min(...runs);
}
