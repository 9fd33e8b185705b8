import { type BudgetsToRead, budgetsRead } from "./budget-reading.ts";

// The whole of a thread: one text in, what it says out. `read-beside.ts` starts it.
declare const self: {
  onmessage: (message: { readonly data: BudgetsToRead }) => void;
  postMessage(answer: unknown): void;
};

self.onmessage = ({ data }) => self.postMessage(budgetsRead(data));
