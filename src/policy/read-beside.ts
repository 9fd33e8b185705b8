import { type BudgetsRead, type BudgetsToRead, budgetsRead } from "./budget-reading.ts";

/** Reads a text somewhere else than on the thread of the calls. */
export type ReadBeside = (asked: BudgetsToRead) => Promise<BudgetsRead>;

/** The compiled executable carries the thread under its path in src, as an entry of its own (scripts/build.ts). */
const THREAD = import.meta.url.includes("/$bunfs/")
  ? "./policy/budget-thread.js"
  : new URL("./budget-thread.ts", import.meta.url).href;

/**
 * Reads on a thread that ends with it. Where there can be no thread it is read here: late calls are better than budgets that
 * nobody reads.
 */
export const readBeside: ReadBeside = async (asked) => {
  try {
    return await onThread(asked);
  } catch {
    return budgetsRead(asked);
  }
};

function onThread(asked: BudgetsToRead): Promise<BudgetsRead> {
  return new Promise((done, failed) => {
    const thread = new Worker(THREAD);
    // A process that has nothing else to do ends.
    thread.unref();
    const end = (then: () => void) => {
      thread.terminate();
      then();
    };
    thread.addEventListener("message", ({ data }) => end(() => done(data as BudgetsRead)));
    thread.addEventListener("error", ({ message }) => end(() => failed(new Error(message))));
    thread.postMessage(asked);
  });
}
