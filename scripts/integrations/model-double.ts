import { type DoubleAnswer, type RecordedRequest, startVendorDouble } from "../../test/harness/vendor-double.ts";

/** What a model asks for in one conversation. */
export interface Conversation {
  /** The tool's arguments at this turn, from 0. Undefined ends the conversation with a text. */
  readonly ask: (turn: number) => Readonly<Record<string, unknown>> | undefined;
  /** At its start. */
  readonly begin?: () => void;
}

/** A model that speaks the Chat Completions API on loopback and asks for tool calls as it was told to. */
export interface ModelDouble {
  /** Where OpenAI's SDK, and whatever is built on it, looks for the model. */
  readonly env: Readonly<Record<string, string>>;
  /** How often it was asked for the next step, by conversation. */
  readonly turns: readonly number[];
  stop(): Promise<void>;
}

/** What a conversation may take: a framework that never ends must end a scenario red, and soon. */
const TURNS_MAX = 40;

/** A model that goes on and on, whatever its tool answers: a call each turn, for `cus_1`, `cus_2` and so on. */
export const STUBBORN: Conversation = { ask: (turn) => ({ customer: `cus_${turn + 1}` }) };

/** A model that asks for one call for each of `customers`, and then is done. */
export function modest(customers: readonly string[], begin: () => void = () => {}): Conversation {
  return { ask: (turn) => (turn < customers.length ? { customer: customers[turn] } : undefined), begin };
}

/** @param tool is what the example calls it. Each request without an answer of the model's begins the next conversation. */
export async function startModelDouble(tool: string, conversations: readonly Conversation[]): Promise<ModelDouble> {
  const turns: number[] = [];
  const double = await startVendorDouble((request) => {
    const problem = problemOf(request, tool);
    if (problem) return refused(problem);
    if (isFirst(request)) {
      conversations[turns.length]?.begin?.();
      turns.push(0);
    }
    const index = turns.length - 1;
    const turn = turns[index] ?? 0;
    turns[index] = turn + 1;
    return completion(turn, tool, turn < TURNS_MAX ? conversations[index]?.ask(turn) : undefined);
  });
  return {
    env: { OPENAI_BASE_URL: `${double.origin}/v1`, OPENAI_API_KEY: "sk-no-model-needs-this" },
    turns,
    stop: () => double.stop(),
  };
}

interface Asked {
  readonly stream?: boolean;
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
  readonly messages: readonly { readonly role: string }[];
}

/** Frameworks that would ask in another way than the double answers are told so, rather than left to guess. */
function problemOf({ method, target, body }: RecordedRequest, tool: string): string | undefined {
  if (method !== "POST" || target !== "/v1/chat/completions") return `${method} ${target} is not spoken here`;
  const asked = JSON.parse(body) as Asked;
  if (asked.stream === true) return "answers are not streamed here";
  const names = (asked.tools ?? []).map((each) => each.function.name);
  return names.includes(tool) ? undefined : `the tool ${tool} was not offered, but ${names.join(", ") || "none"}`;
}

function isFirst({ body }: RecordedRequest): boolean {
  return !(JSON.parse(body) as Asked).messages.some(({ role }) => role === "assistant");
}

function refused(message: string): DoubleAnswer {
  return { status: 400, body: JSON.stringify({ error: { message, type: "invalid_request_error" } }) };
}

function completion(turn: number, tool: string, args: Readonly<Record<string, unknown>> | undefined): DoubleAnswer {
  const call = { id: `call_${turn}`, type: "function", function: { name: tool, arguments: JSON.stringify(args) } };
  const message = args
    ? { role: "assistant", content: null, tool_calls: [call] }
    : { role: "assistant", content: "All customers are charged." };
  return {
    status: 200,
    body: JSON.stringify({
      id: `chatcmpl-${turn}`,
      object: "chat.completion",
      created: 1_700_000_000 + turn,
      model: "gpt-5-mini",
      choices: [{ index: 0, message, logprobs: null, finish_reason: args ? "tool_calls" : "stop" }],
      usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
    }),
  };
}
