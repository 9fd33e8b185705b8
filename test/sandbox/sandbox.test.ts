import { afterEach, expect, test } from "bun:test";
import { startTrial, type Trial } from "./trial.ts";

const started: Trial[] = [];

async function start(slowMs?: number): Promise<Trial> {
  const trial = await startTrial(slowMs);
  started.push(trial);
  return trial;
}

afterEach(async () => {
  for (const trial of started.splice(0)) await trial.sandbox.stop();
});

function createMessage({ sandbox }: Trial, body: string, signal?: AbortSignal): Promise<Response> {
  const { accountSid, authToken } = sandbox.credentials.twilio;
  return fetch(`${sandbox.origins.twilio}/2010-04-01/Accounts/${accountSid}/Messages.json`, {
    method: "POST",
    body: new URLSearchParams({ To: "+15558675310", From: "+15550001234", Body: body }),
    headers: { authorization: `Basic ${btoa(`${accountSid}:${authToken.reveal()}`)}` },
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Waits until `calls` requests have reached the sandbox. */
async function arrived({ sandbox }: Trial, calls: number): Promise<void> {
  while (sandbox.calls() < calls) await new Promise((resolve) => setImmediate(resolve));
}

test("listens on loopback only, on three ports", async () => {
  const { origins } = (await start()).sandbox;
  const urls = Object.values(origins).map((origin) => new URL(origin));
  expect(urls.map(({ hostname }) => hostname)).toEqual(["127.0.0.1", "127.0.0.1", "127.0.0.1"]);
  expect(new Set(urls.map(({ port }) => port)).size).toBe(3);
});

test("makes other credentials at every start, and prints none", async () => {
  const [first, second] = [await start(), await start()];
  const secrets = ({ sandbox }: Trial) => [
    sandbox.credentials.stripe.reveal(),
    sandbox.credentials.twilio.authToken.reveal(),
    sandbox.credentials.resend.reveal(),
  ];
  expect(new Set([...secrets(first), ...secrets(second)]).size).toBe(6);
  const printed = JSON.stringify(first.sandbox.credentials) + Bun.inspect(first.sandbox);
  for (const secret of secrets(first)) expect(printed).not.toContain(secret);
});

test("marks every answer of every vendor, counts every call, and takes no other vendor's credential", async () => {
  const { sandbox } = await start();
  const keys = [sandbox.credentials.stripe.reveal(), sandbox.credentials.resend.reveal(), "vault_key_x"];
  const right: Record<string, string | undefined> = { stripe: keys[0], resend: keys[1] };
  for (const [vendor, origin] of Object.entries(sandbox.origins)) {
    for (const key of keys) {
      const answer = await fetch(`${origin}/nothing`, { headers: { authorization: `Bearer ${key}` } });
      expect(answer.headers.get("x-keybrake-sandbox")).toBe("true");
      expect(answer.headers.get("content-type")).toContain("application/json");
      expect(answer.status).toBe(right[vendor] === key ? 404 : 401);
    }
  }
  expect(sandbox.calls()).toBe(9);
});

test("a time-out is never answered, and holds up nobody else", async () => {
  const trial = await start();
  const leave = new AbortController();
  const hanging = createMessage(trial, "sandbox:timeout", leave.signal);
  await arrived(trial, 1);
  const next = await createMessage(trial, "still served");
  expect(next.status).toBe(201);
  expect(Bun.peek.status(hanging)).toBe("pending");
  leave.abort();
  expect(await hanging.catch((error: Error) => error.name)).toBe("AbortError");
});

test("stop ends a call that waits for its time-out or its slow answer, frees the ports, and can be repeated", async () => {
  const trial = await start(60_000);
  const waiting = ["sandbox:timeout", "sandbox:slow"].map((body) =>
    createMessage(trial, body).then(
      () => "answered",
      () => "ended",
    ),
  );
  await arrived(trial, 2);
  await trial.sandbox.stop();
  expect(await Promise.all(waiting)).toEqual(["ended", "ended"]);
  expect(await createMessage(trial, "x").catch(() => "refused")).toBe("refused");
  await trial.sandbox.stop();
});

test("a body of more than 8 MiB is refused in the vendor's shape", async () => {
  const { sandbox } = await start();
  const answer = await fetch(`${sandbox.origins.stripe}/v1/customers`, {
    method: "POST",
    body: new Uint8Array(8 * 1024 * 1024 + 1),
  });
  expect(answer.status).toBe(413);
  expect(await answer.json()).toMatchObject({ error: { message: expect.stringContaining("8388608 bytes") } });
});
