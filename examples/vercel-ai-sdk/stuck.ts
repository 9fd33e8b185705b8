/** The agent with the SDK's mock model, which is stuck: whatever it is told, it asks for the next charge. */
import { MockLanguageModelV3 } from "ai/test";
import { bill } from "./agent.ts";

let order = 0;
const ask = (customer: string) => {
  order += 1;
  const input = JSON.stringify({ customer, order: `ord_${order}`, cents: 2000 });
  return { type: "tool-call" as const, toolCallId: `call_${order}`, toolName: "charge", input };
};

const stuck = new MockLanguageModelV3({
  doGenerate: async () => ({
    content: [ask("cus_1"), ask("cus_2")],
    finishReason: { unified: "tool-calls", raw: undefined },
    usage: {
      inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: 1, text: 1, reasoning: 0 },
    },
    warnings: [],
  }),
});

const [run = "1", budgetUsd = "50"] = process.argv.slice(2);
const cancel = new AbortController();
process.once("SIGTERM", () => {
  cancel.abort(new Error("cancelled"));
  console.error("cancelled");
});
console.log(JSON.stringify(await bill(stuck, run, Number(budgetUsd), cancel.signal)));
