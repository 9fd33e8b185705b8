// Starts vendors' doubles that others wrote, on loopback and ports of the system's choosing, and prints their addresses
// as one line of JSON. Ends when stdin does, so that none outlives the tests.
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { Server } from "node:net";
import { createEmulator } from "emulate";
import { createExpressApp } from "stripe-stateful-mock";

const LOOPBACK = "127.0.0.1";
const [seed] = process.argv.slice(2).map((text) => JSON.parse(text));

// emulate 0.11 takes a port and no host, and so would listen on every interface of the machine; nor does it say which
// port it got.
const listening = [];
const { listen } = Server.prototype;
Server.prototype.listen = function (port) {
  listening.push(new Promise((resolve, reject) => this.once("listening", () => resolve(this)).once("error", reject)));
  return listen.call(this, { port, host: LOOPBACK });
};

// emulate spells its ids in base64url, and so with a hyphen now and then; Stripe's have letters, digits and _.
const { randomBytes } = crypto;
crypto.randomBytes = (size) => {
  for (;;) {
    const bytes = randomBytes(size);
    if (!bytes.toString("base64url").includes("-")) return bytes;
  }
};
syncBuiltinESMExports();

createExpressApp().listen(0);
for (const service of ["stripe", "twilio", "resend"]) await createEmulator({ service, port: 0, seed });

const [stateful, stripe, twilio, resend] = (await Promise.all(listening)).map((server) => {
  const { address, port } = server.address();
  if (address !== LOOPBACK) throw new Error(`a double listens on ${address}`);
  return `http://${address}:${port}`;
});
process.stdout.write(`${JSON.stringify({ stateful, stripe, twilio, resend })}\n`);
process.stdin.resume().on("end", () => process.exit());
