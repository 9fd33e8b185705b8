/**
 * For stacks that cannot run here: the requests that a page's own file would have its platform send, with the platform's
 * expressions filled in, made as plain HTTP. The file says what is sent; a check says only what its expressions mean.
 */
import type { Scenario } from "./check.ts";
import type { World } from "./world.ts";

/** A request as a step of the file has it, with the platform's expressions still in it. */
export interface PageRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Fields of a form, or a text as it is sent; none where nothing is sent. */
  readonly body?: string | Readonly<Record<string, string>>;
}

/** What a platform knows while a run is under way. */
export interface RunFacts {
  readonly keybrakeUrl: string;
  readonly controlToken: string;
  /** The platform's own word for the run: an execution's id. */
  readonly run: string;
  readonly customer: string;
  /** What issuing the key has answered; empty before that. */
  readonly keyId: string;
  readonly vaultKey: string;
}

/** What the file has its platform do with a charge that the cap has refused. */
export interface AtCapHit {
  /** It sends the charge again. */
  readonly isRepeated: boolean;
  /** The steps behind it come to the one that revokes: the refusal ends nothing. */
  readonly reachesRevoke: boolean;
}

export interface PagePlan {
  readonly issue: PageRequest;
  readonly charge: PageRequest;
  readonly revoke: PageRequest;
  readonly atCapHit: AtCapHit;
  /** With one group, which is the expression: `/\{\{\s*(.+?)\s*\}\}/g`. */
  readonly syntax: RegExp;
  /** What each expression of the file stands for. One that is not named fails the check. */
  readonly words: Readonly<Record<string, keyof RunFacts>>;
  /** The label that a run gets. */
  readonly labelOf: (run: string) => string;
}

const CHARGE_CENTS = 2999;
const CUSTOMERS = 12;
/** Of `CUSTOMERS`, under a cap of $150. */
const ADMITTED = 5;
/** Of one charge, on a platform that repeats it. */
const TRIES_MAX = 3;

/** What every such page has to hold. `planOf` reads the file, in `world.folder`. */
export function requestScenarios(planOf: (world: World) => Promise<PagePlan> | PagePlan): readonly Scenario[] {
  return [
    {
      title: "its requests, for twelve items at once, are stopped at exactly the run's cap, and the last one revokes",
      run: async (world) => {
        const plan = await planOf(world);
        const facts = await issued(world, plan, "41");
        const customers = Array.from({ length: CUSTOMERS }, (_, index) => `cus_${index}`);
        const answers = await Promise.all(customers.map((customer) => charged(plan, { ...facts, customer })));
        const hits = answers.filter(isCapHit);
        if (hits.length !== CUSTOMERS - ADMITTED) throw new Error(`${hits.length} of ${CUSTOMERS} were cap hits`);
        if (plan.atCapHit.reachesRevoke) await revoke(plan, facts);
        const label = plan.labelOf("41");
        const refused = CUSTOMERS - ADMITTED;
        await world.expectCapped({ label, eachCents: CHARGE_CENTS, admitted: ADMITTED, refused });
        await world.expectRevoked(label);
      },
    },
    {
      title: "a step that its platform repeats issues no second key and charges once",
      run: async (world) => {
        const plan = await planOf(world);
        const first = await issued(world, plan, "42");
        const second = await issued(world, plan, "42");
        if (first.keyId !== second.keyId) throw new Error("a second key was issued");
        for (const facts of [first, second]) {
          const { status } = await send(plan, plan.charge, { ...facts, customer: "cus_1" });
          if (status !== 200) throw new Error(`a charge was answered with ${status}`);
        }
        await revoke(plan, first);
        world.expectCharged(1, CHARGE_CENTS);
        await world.expectRevoked(plan.labelOf("42"));
      },
    },
  ];
}

async function issued({ env }: World, plan: PagePlan, run: string): Promise<RunFacts> {
  const before: RunFacts = {
    keybrakeUrl: env["KEYBRAKE_URL"]!,
    controlToken: env["KEYBRAKE_API_KEY"]!,
    run,
    customer: "",
    keyId: "",
    vaultKey: "",
  };
  const answer = await send(plan, plan.issue, before);
  const told = (await answer.json()) as { id?: string; vault_key?: string };
  if (!answer.ok || !told.id || !told.vault_key) throw new Error(`no key was issued: ${JSON.stringify(told)}`);
  return { ...before, keyId: told.id, vaultKey: told.vault_key };
}

function isCapHit({ status, headers }: Response): boolean {
  return status === 429 && headers.has("x-keybrake-cap-hit");
}

/** The last answer to a charge, which is sent again where the file has its platform do so. */
async function charged(plan: PagePlan, facts: RunFacts): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const answer = await send(plan, plan.charge, facts);
    if (!plan.atCapHit.isRepeated || !isCapHit(answer) || tries === TRIES_MAX) return answer;
  }
}

async function revoke(plan: PagePlan, facts: RunFacts): Promise<void> {
  const answer = await send(plan, plan.revoke, facts);
  if (!answer.ok) throw new Error(`revoking was answered with ${answer.status}: ${await answer.text()}`);
}

function send(plan: PagePlan, { method, url, headers, body }: PageRequest, facts: RunFacts): Promise<Response> {
  const fill = (text: string) => filled(plan, text, facts);
  const each = (fields: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, fill(value)]));
  const sent = typeof body === "object" ? new URLSearchParams(each(body)) : body === undefined ? null : fill(body);
  return fetch(fill(url), { method, headers: each(headers), body: sent });
}

function filled({ syntax, words }: PagePlan, text: string, facts: RunFacts): string {
  return text.replace(syntax, (_whole, expression: string) => {
    const word = words[expression];
    if (word === undefined) throw new Error(`the file has an expression that the check does not know: ${expression}`);
    return facts[word];
  });
}

/** The one of `items` whose name is `name`. @throws Error where the file has none. */
export function named<T extends { readonly name: string }>(items: readonly T[], name: string): T {
  const found = items.find((item) => item.name === name);
  if (!found) throw new Error(`the file has no step "${name}"; it has ${items.map((item) => item.name).join(", ")}`);
  return found;
}

/** Whether the steps behind `from` come to `to`. `next` gives those that follow one directly. */
export function reaches(from: string, to: string, next: (step: string) => readonly string[]): boolean {
  const seen = new Set<string>();
  const pending = [from];
  for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
    if (step === to) return true;
    if (seen.has(step)) continue;
    seen.add(step);
    pending.push(...next(step));
  }
  return false;
}
