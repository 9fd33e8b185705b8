import { AUDIT_ROWS_PER_PAGE_MAX } from "../operate/audit.ts";
import type { AuditPageView, AuditRowView, ControlPlane } from "../operate/control-plane.ts";
import type { AuditFilter } from "../store/store.ts";
import type { Cli } from "./cli.ts";
import { given } from "./policy-flags.ts";
import { Unreachable } from "./remote/failure.ts";

const PAUSE_MS = 500;
/** Between looks at a server that is not there. */
const PAUSE_MS_MAX = 5_000;
/** A followed call is printed when it is final, or after so many looks (5 s) as it is. */
const LOOKS_MAX = 10;

/**
 * Looks for rows behind the cursor `from` until a signal comes, and gives each to `print` once. A call that is in flight is
 * waited for, so that its line shows what it did cost; the others of its page are not held up by it. A server that goes away
 * is waited for: its cursor says where to go on, and no row is left out.
 */
export async function followAudit(
  control: ControlPlane,
  filter: AuditFilter,
  from: string | null,
  cli: Cli,
  print: (rows: readonly AuditRowView[]) => void,
): Promise<void> {
  let isOver = false;
  let end = () => {};
  const over = new Promise<undefined>((resolve) => {
    end = () => resolve(undefined);
  });
  const stopListening = cli.signals.listen(() => {
    isOver = true;
    end();
  });
  const patient = new PatientLooks(control, filter, cli);
  let cursor = from;
  let looks = 0;
  const printed = new Set<string>();
  while (!isOver) {
    await Promise.race([cli.pause(patient.pauseMs), over]);
    // Not waited for after Ctrl-C: a server that hangs would keep it.
    const page = await Promise.race([patient.look(cursor), over]);
    if (page === undefined) continue;
    looks = page.rows.some(({ state }) => state === "held") ? looks + 1 : LOOKS_MAX;
    const isLastLook = looks >= LOOKS_MAX;
    const ready = page.rows.filter(({ id, state }) => !printed.has(id) && (state !== "held" || isLastLook));
    print(ready);
    for (const { id } of ready) printed.add(id);
    if (!isLastLook) continue;
    cursor = page.newer_cursor ?? cursor;
    looks = 0;
    printed.clear();
  }
  stopListening();
}

/** Looks that outlast a server's restart. */
class PatientLooks {
  pauseMs = PAUSE_MS;
  readonly #control: ControlPlane;
  readonly #filter: AuditFilter;
  readonly #cli: Cli;
  #isAway = false;

  constructor(control: ControlPlane, filter: AuditFilter, cli: Cli) {
    this.#control = control;
    this.#filter = filter;
    this.#cli = cli;
  }

  /** Undefined while the server is away. */
  async look(cursor: string | null): Promise<AuditPageView | undefined> {
    const { voice } = this.#cli;
    const request = { limit: AUDIT_ROWS_PER_PAGE_MAX, ...given("after", cursor ?? undefined) };
    try {
      const page = await this.#control.queryAudit(this.#filter, request);
      if (this.#isAway) voice.note("the server is there again; nothing is left out");
      this.#isAway = false;
      this.pauseMs = PAUSE_MS;
      return page;
    } catch (cause) {
      if (!(cause instanceof Unreachable)) throw cause;
      if (!this.#isAway) voice.warn(`${cause.message}; trying again until it is there, or Ctrl-C`);
      this.#isAway = true;
      this.pauseMs = Math.min(this.pauseMs * 2, PAUSE_MS_MAX);
      return undefined;
    }
  }
}
