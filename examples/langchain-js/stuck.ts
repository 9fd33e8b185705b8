/** The agent with LangChain's fake model, which is stuck: whatever it is told, it asks for the next charge. */
import { fakeModel } from "langchain";
import { bill } from "./agent.ts";

const stuck = fakeModel();
for (let order = 1; order < 100; order++) {
  const args = { customer: "cus_1", order: `ord_${order}`, cents: 2000 };
  stuck.respondWithTools([{ name: "charge", id: `call_${order}`, args }]);
}

const [run = "1", budgetUsd = "50"] = process.argv.slice(2);
const cancel = new AbortController();
process.once("SIGTERM", () => {
  cancel.abort(new Error("cancelled"));
  console.error("cancelled");
});
console.log(JSON.stringify(await bill(stuck, run, Number(budgetUsd), cancel.signal)));
