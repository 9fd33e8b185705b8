/**
 * So much of Amazon's States Language as the example's state machine has: Task, Map, Pass and Fail, with Retry and Catch.
 * It waits for nothing, and what it does not know it throws out.
 */

interface Rule {
  readonly ErrorEquals: readonly string[];
  readonly MaxAttempts?: number;
  readonly ResultPath?: string;
  readonly Next?: string;
}

interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly Result?: unknown;
  readonly ResultPath?: string | null;
  readonly ItemsPath?: string;
  readonly ItemSelector?: Readonly<Record<string, unknown>>;
  readonly ItemProcessor?: StateMachine;
  readonly MaxConcurrency?: number;
  readonly Retry?: readonly Rule[];
  readonly Catch?: readonly Rule[];
  readonly Next?: string;
}

export interface StateMachine {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

/** An error as the language has it. A task that throws it fails with this name. */
export class StateError extends Error {
  override readonly name: string;

  constructor(name: string, cause: string) {
    super(cause);
    this.name = name;
  }
}

/** Does what a Task's Resource stands for. */
export type TaskRunner = (resource: string, input: unknown) => Promise<unknown>;

type Facts = Readonly<Record<string, unknown>>;

/** The default of the language, where a Retry does not say. */
const ATTEMPTS_MAX = 3;

/** Walks the machine to its end and returns its output. @throws StateError where the execution fails. */
export async function execute(machine: StateMachine, input: unknown, run: TaskRunner): Promise<unknown> {
  let name: string | undefined = machine.StartAt;
  let data = input;
  while (name !== undefined) {
    const state: State = stateOf(machine, name);
    if (state.Type === "Fail") throw new StateError("Failed", JSON.stringify(data));
    try {
      data = placed(data, state.ResultPath, await retried(state, data, run));
      name = state.Next;
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      const rule: Rule | undefined = state.Catch?.find((each) => isMatch(each, error.name));
      if (!rule) throw error;
      data = placed(data, rule.ResultPath, { Error: error.name, Cause: error.message });
      name = rule.Next;
    }
  }
  return data;
}

function stateOf(machine: StateMachine, name: string): State {
  const state = machine.States[name];
  if (!state) throw new Error(`there is no state "${name}"`);
  return state;
}

async function retried(state: State, data: unknown, run: TaskRunner): Promise<unknown> {
  const attempts = new Map<Rule, number>();
  for (;;) {
    try {
      return await once(state, data, run);
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      const rule = state.Retry?.find((each) => isMatch(each, error.name));
      const before = rule && (attempts.get(rule) ?? 0);
      if (!rule || before === undefined || before >= (rule.MaxAttempts ?? ATTEMPTS_MAX)) throw error;
      attempts.set(rule, before + 1);
    }
  }
}

function once(state: State, data: unknown, run: TaskRunner): Promise<unknown> {
  if (state.Type === "Task") return run(state.Resource ?? "", data);
  if (state.Type === "Pass") return Promise.resolve(state.Result ?? data);
  if (state.Type === "Map") return eachItem(state, data, run);
  throw new Error(`a state of type ${state.Type} is not known here`);
}

async function eachItem(state: State, data: unknown, run: TaskRunner): Promise<unknown> {
  const items = [...(at(data, state.ItemsPath ?? "$") as readonly unknown[]).entries()];
  const results: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let next = items.shift(); next !== undefined; next = items.shift()) {
      const [index, item] = next;
      results[index] = await execute(state.ItemProcessor!, selected(state.ItemSelector ?? {}, data, item), run);
    }
  };
  await Promise.all(Array.from({ length: state.MaxConcurrency || items.length }, worker));
  return results;
}

function selected(selector: Facts, data: unknown, item: unknown): Facts {
  const entries = Object.entries(selector).map(([name, path]) => {
    if (!name.endsWith(".$")) return [name, path];
    return [name.slice(0, -".$".length), path === "$$.Map.Item.Value" ? item : at(data, String(path))];
  });
  return Object.fromEntries(entries) as Facts;
}

/** What stands at `$.a.b`. */
function at(data: unknown, path: string): unknown {
  if (!/^\$(\.\w+)*$/.test(path)) throw new Error(`a path that is not known here: ${path}`);
  const names = path.split(".").slice(1);
  return names.reduce<unknown>((value, name) => (value as Facts)[name], data);
}

/** The state's output: the result in the input, at `$.name`; alone where no path is said; the input where it is null. */
function placed(data: unknown, path: string | null | undefined, result: unknown): unknown {
  if (path === null) return data;
  if (path === undefined || path === "$") return result;
  return { ...(data as Facts), [path.slice("$.".length)]: result };
}

function isMatch({ ErrorEquals }: Rule, name: string): boolean {
  return ErrorEquals.includes(name) || ErrorEquals.includes("States.ALL");
}
