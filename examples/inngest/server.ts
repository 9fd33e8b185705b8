/** Where Inngest asks for the steps of the functions: http://127.0.0.1:3000/api/inngest. */
import { createServer } from "inngest/node";
import { functions, inngest } from "./functions.ts";

createServer({ client: inngest, functions }).listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1");
