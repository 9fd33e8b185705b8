import type { Micros } from "../core/money.ts";
import { VERDICTS, type Verdict } from "../core/verdict.ts";
import { ENTRIES_BOUNDS, Histogram, SECONDS_BOUNDS } from "./histogram.ts";
import type { Period } from "./period.ts";

/** How a call ended, in one word: its verdict, or that it was answered from the record of an earlier one. */
export type CallOutcome = Verdict | "replayed";

const OUTCOMES: readonly CallOutcome[] = [...(Object.keys(VERDICTS) as Verdict[]), "replayed"];
const PLACES: ReadonlyMap<string, number> = new Map(OUTCOMES.map((outcome, place) => [outcome, place]));

/** The vendor of calls that no known key made, and of keys whose vendor this server does not know. */
export const NO_VENDOR = "unknown";

/** What one vendor's calls have come to. */
export class VendorTally {
  readonly #calls = new Float64Array(OUTCOMES.length);
  #settledMicros = 0n;
  #addedLaterMicros = 0n;
  #takenOffLaterMicros = 0n;
  /** From sending a call to the head or the whole of its answer, in seconds. */
  readonly forwards = new Histogram(SECONDS_BOUNDS);

  call(outcome: CallOutcome): void {
    this.#calls[PLACES.get(outcome)!]! += 1;
  }

  settled(costMicros: Micros): void {
    this.#settledMicros += costMicros;
  }

  /** The difference of a price that came later to what was counted: a counter never goes down, so there are two. */
  reconciled(differenceMicros: Micros): void {
    if (differenceMicros > 0n) this.#addedLaterMicros += differenceMicros;
    else this.#takenOffLaterMicros -= differenceMicros;
  }

  /** Of the outcomes that there were; and `allowed`, so that a rate of it is known from the beginning. */
  get calls(): readonly (readonly [outcome: CallOutcome, calls: number])[] {
    return OUTCOMES.map((outcome, place) => [outcome, this.#calls[place]!] as const).filter(
      ([outcome, calls]) => calls > 0 || outcome === "allowed",
    );
  }

  get settledMicros(): Micros {
    return this.#settledMicros;
  }

  get addedLaterMicros(): Micros {
    return this.#addedLaterMicros;
  }

  get takenOffLaterMicros(): Micros {
    return this.#takenOffLaterMicros;
  }
}

/**
 * What this process has counted since it started. Written on the path of every call and read once per scrape, so counting
 * is an addition in memory, and nothing that a call says ever makes a new counter: vendors are those of the configuration.
 */
export class Tallies {
  readonly #byVendor: ReadonlyMap<string, VendorTally>;
  readonly #unknown = new VendorTally();
  /** Seconds that calls waited for their hold, or for the row of their refusal, to be on disk. */
  readonly holds = new Histogram(SECONDS_BOUNDS);
  /** Holds and resolutions in one transaction. */
  readonly commitEntries = new Histogram(ENTRIES_BOUNDS);
  /** Seconds of one transaction, its fsync included. */
  readonly commits = new Histogram(SECONDS_BOUNDS);
  #failedCommits = 0;

  constructor(vendors: readonly string[]) {
    this.#byVendor = new Map(vendors.map((name) => [name, new VendorTally()]));
  }

  of(vendor: string | undefined): VendorTally {
    return (vendor === undefined ? undefined : this.#byVendor.get(vendor)) ?? this.#unknown;
  }

  /** A call for its hold, or for the row of its refusal. */
  waited({ fromMs, toMs }: Period): void {
    this.holds.observe((toMs - fromMs) / 1000);
  }

  committed(entries: number, durationMs: number): void {
    this.commitEntries.observe(entries);
    this.commits.observe(durationMs / 1000);
  }

  commitFailed(): void {
    this.#failedCommits += 1;
  }

  get failedCommits(): number {
    return this.#failedCommits;
  }

  get vendors(): readonly (readonly [name: string, tally: VendorTally])[] {
    return [...this.#byVendor, [NO_VENDOR, this.#unknown]];
  }
}
