/** As Inngest's engine has it for a function with `retries: 4`. */
const TRIES_MAX = 5;

/** One run of a function, driven as Inngest's engine does: a request to the SDK's handler for each step. */
export interface InngestRun {
  /** Asks for what comes next, until it is there. Returns the steps that the handler wants to be asked for, by id. */
  next(): Promise<readonly string[]>;
  /** One try of a step; none follows. */
  tryStep(id: string): Promise<void>;
  /** Everything that is left of the run. Returns what its function returns. @throws Error where the function failed. */
  finish(): Promise<unknown>;
}

interface StepReport {
  readonly id: string;
  readonly op: "StepPlanned" | "StepRun" | "StepError" | "StepFailed";
  readonly data?: unknown;
  readonly error?: unknown;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** The handler has said that another try cannot help. */
  readonly isFinal: boolean;
}

type Turn = { readonly planned: readonly string[] } | { readonly returned: unknown };

/**
 * Inngest's engine, as far as a run needs it: it keeps what steps return, and repeats what the SDK's handler at `url` does
 * not call final; at once, where the engine would wait. The form of the requests is that of the engine's SDKRequest.
 */
export function startInngestRun(url: string, functionId: string, event: object): InngestRun {
  const steps: Record<string, object> = {};

  async function ask(stepId: string, attempt: number): Promise<Answer> {
    const stack = Object.keys(steps);
    const ctx = {
      run_id: "01JDKEYBRAKE00000000000000",
      attempt,
      max_attempts: TRIES_MAX,
      stack: { stack, current: stack.length - 1 },
    };
    const answer = await fetch(`${url}?${new URLSearchParams({ fnId: functionId, stepId })}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ event, events: [event], steps, ctx, version: -1 }),
    });
    const isFinal = answer.headers.get("x-inngest-no-retry") === "true" || attempt + 1 >= TRIES_MAX;
    return { status: answer.status, body: await answer.json(), isFinal };
  }

  /** Keeps what the steps have come to. Returns whether they have: false asks for another try. */
  function keep(reports: readonly StepReport[], isFinal: boolean): boolean {
    for (const { id, op, data, error } of reports) {
      if (op === "StepError" && !isFinal) return false;
      if (op === "StepRun") steps[id] = { type: "data", data: data ?? null };
      else if (op !== "StepPlanned") steps[id] = { type: "error", error };
    }
    return true;
  }

  async function turn(stepId: string): Promise<Turn> {
    for (let attempt = 0; ; attempt++) {
      const { status, body, isFinal } = await ask(stepId, attempt);
      if (status === 200) return { returned: body };
      if (status === 206) {
        const reports = body as readonly StepReport[];
        if (!keep(reports, isFinal)) continue;
        return { planned: reports.flatMap(({ id, op }) => (op === "StepPlanned" ? [id] : [])) };
      }
      if (isFinal) throw new Error(`the function failed: ${status} ${JSON.stringify(body)}`);
    }
  }

  return {
    next: async () => {
      const found = await turn("step");
      if ("planned" in found) return found.planned;
      throw new Error(`the function has returned ${JSON.stringify(found.returned)}`);
    },
    tryStep: async (id) => {
      const { body, isFinal } = await ask(id, 0);
      keep(body as readonly StepReport[], isFinal);
    },
    finish: async () => {
      for (;;) {
        const found = await turn("step");
        if ("returned" in found) return found.returned;
        await Promise.all(found.planned.map(turn));
      }
    },
  };
}
