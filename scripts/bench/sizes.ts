/** How long and how often everything is measured. */
export interface Sizes {
  /** One measurement under load. */
  readonly seconds: number;
  /** Measurements of each kind, in turns; the median counts. */
  readonly rounds: number;
  /** Not counted: a JIT compiler's first seconds say nothing about the hours that follow. */
  readonly warmUpSeconds: number;
  /** Vault keys that take turns, beside one hot key. */
  readonly keys: number;
  /** Audit rows of the large store. */
  readonly rows: number;
  /** Vault keys of the large store. */
  readonly storeKeys: number;
  /** Calls of the runs that are looked up in the large store. */
  readonly runRows: readonly number[];
  /** Times that a query, a command or a start is repeated. */
  readonly repeats: number;
  /** Keys that are revoked under load through the API. */
  readonly revokes: number;
  /** The same through the command line, a process each. */
  readonly commandRevokes: number;
  readonly memorySeconds: number;
  readonly memorySampleSeconds: number;
}

/** The sizes of the targets. */
export const FULL: Sizes = {
  seconds: 10,
  rounds: 3,
  warmUpSeconds: 8,
  keys: 10_000,
  rows: 10_000_000,
  storeKeys: 100_000,
  runRows: [100, 10_000],
  repeats: 15,
  revokes: 10_000,
  commandRevokes: 300,
  memorySeconds: 300,
  memorySampleSeconds: 5,
};

/** To see that every section works; the figures mean little. */
export const QUICK: Sizes = {
  seconds: 1,
  rounds: 1,
  warmUpSeconds: 1,
  keys: 200,
  rows: 20_000,
  storeKeys: 500,
  runRows: [10, 100],
  repeats: 3,
  revokes: 100,
  commandRevokes: 5,
  memorySeconds: 10,
  memorySampleSeconds: 1,
};
