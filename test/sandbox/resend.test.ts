import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Resend } from "resend";
import { resendOf, startTrial, type Trial } from "./trial.ts";

let trial: Trial;
let resend: Resend;

beforeAll(async () => {
  trial = await startTrial();
  resend = resendOf(trial);
});
afterAll(() => trial.sandbox.stop());

const email = { from: "Acme <a@example.com>", to: "b@example.com", subject: "Hello", text: "Hi" };
const count = async () => (await resend.emails.list({ limit: 100 })).data?.data.length;

function post(path: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  const authorization = `Bearer ${trial.sandbox.credentials.resend.reveal()}`;
  return fetch(trial.sandbox.origins.resend + path, { method: "POST", body, headers: { authorization, ...headers } });
}

describe("an email", () => {
  test("is sent, then delivered", async () => {
    const { data } = await resend.emails.send({ ...email, cc: ["c@example.com"] });
    expect(data?.id).toMatch(/^[0-9a-f-]{36}$/);
    const sent = await resend.emails.get(data?.id ?? "");
    expect(sent.data).toMatchObject({ to: ["b@example.com"], cc: ["c@example.com"], last_event: "sent", text: "Hi" });
    trial.clock.advance(2_000);
    expect((await resend.emails.get(data?.id ?? "")).data?.last_event).toBe("delivered");
  });

  test.each(["bounced", "complained", "suppressed"])("to %s@resend.dev ends so", async (outcome) => {
    const { data } = await resend.emails.send({ ...email, to: `${outcome}+run1@resend.dev` });
    trial.clock.advance(2_000);
    expect((await resend.emails.get(data?.id ?? "")).data?.last_event as string).toBe(outcome);
  });

  test("that is scheduled can be moved and cancelled; one that was sent cannot", async () => {
    const scheduled = await resend.emails.send({ ...email, scheduledAt: "2026-12-01T09:00:00Z" });
    const id = scheduled.data?.id ?? "";
    await resend.emails.update({ id, scheduledAt: "2026-12-02T09:00:00Z" });
    expect((await resend.emails.get(id)).data).toMatchObject({
      last_event: "scheduled",
      scheduled_at: "2026-12-02T09:00:00Z",
    });
    expect((await resend.emails.cancel(id)).data).toMatchObject({ object: "email", id });
    expect((await resend.emails.get(id)).data?.last_event).toBe("canceled");
    expect((await resend.emails.cancel(id)).error?.statusCode).toBe(422);
    const sent = await resend.emails.send(email);
    expect((await resend.emails.cancel(sent.data?.id ?? "")).error?.name).toBe("validation_error");
  });

  test("that does not exist is not found, and neither is another endpoint", async () => {
    expect((await resend.emails.get("none")).error).toMatchObject({ statusCode: 404, name: "not_found" });
    expect((await post("/broadcasts", "{}")).status).toBe(404);
  });

  test.each([
    ["no from", { ...email, from: undefined }, "missing_required_field", "`from`"],
    ["no to", { ...email, to: undefined }, "missing_required_field", "`to`"],
    ["an empty to", { ...email, to: [] }, "missing_required_field", "`to`"],
    ["no subject", { ...email, subject: undefined }, "missing_required_field", "`subject`"],
    ["no content", { ...email, text: undefined }, "validation_error", "`html` or `text`"],
    ["a from without domain", { ...email, from: "a" }, "validation_error", "`from`"],
    ["a to without domain", { ...email, to: ["b@example.com", "b"] }, "validation_error", "`to`"],
    ["a bcc that is no string", { ...email, bcc: [7] }, "validation_error", "`bcc`"],
    ["51 recipients", { ...email, to: Array(51).fill("b@example.com") }, "validation_error", "this one has 51"],
  ])("with %s is refused by 422 and the field's name", async (_what, payload, name, message) => {
    const before = await count();
    const answer = await post("/emails", JSON.stringify(payload));
    expect(answer.status).toBe(422);
    const error = (await answer.json()) as { statusCode: number; name: string; message: string };
    expect(error).toMatchObject({ statusCode: 422, name });
    expect(error.message).toContain(message);
    expect(await count()).toBe(before);
  });

  test("that is no JSON is refused by 400", async () => {
    expect((await post("/emails", "{")).status).toBe(400);
  });
});

describe("a batch", () => {
  test("is sent item by item, with an id each", async () => {
    const { data } = await resend.batch.send([email, { ...email, subject: "Two" }]);
    const ids = data?.data.map(({ id }) => id) ?? [];
    expect(ids).toHaveLength(2);
    expect((await resend.emails.get(ids[1] ?? "")).data?.subject).toBe("Two");
  });

  test("with one bad item sends nothing, unless it is permissive", async () => {
    const items = [email, { ...email, to: "nobody" }];
    const before = (await count()) ?? 0;
    expect((await resend.batch.send(items)).error).toMatchObject({ statusCode: 422 });
    expect(await count()).toBe(before);
    const permissive = await resend.batch.send(items, { batchValidation: "permissive" });
    expect(permissive.data?.data).toHaveLength(1);
    expect(permissive.data?.errors).toMatchObject([{ index: 1 }]);
    expect(await count()).toBe(before + 1);
  });

  test.each([
    ["nothing in it", "[]"],
    ["101 emails", JSON.stringify(Array(101).fill(email))],
    ["no array", JSON.stringify(email)],
  ])("with %s is refused by 422", async (_what, body) => {
    expect((await post("/emails/batch", body)).status).toBe(422);
  });
});

describe("an idempotency key", () => {
  test("sends once and answers the same id for the same payload, 409 for another", async () => {
    const before = (await count()) ?? 0;
    const options = { idempotencyKey: "welcome/1" };
    const first = await resend.emails.send(email, options);
    expect((await resend.emails.send(email, options)).data).toEqual(first.data);
    expect(await count()).toBe(before + 1);
    const other = await resend.emails.send({ ...email, subject: "Other" }, options);
    expect(other.error).toMatchObject({ statusCode: 409, name: "invalid_idempotent_request" });
    trial.clock.advance(24 * 3_600_000);
    expect((await resend.emails.send(email, options)).data?.id).not.toBe(first.data?.id);
  });

  test("of more than 256 characters is refused", async () => {
    const { error } = await resend.emails.send(email, { idempotencyKey: "k".repeat(257) });
    expect(error).toMatchObject({ statusCode: 400, name: "invalid_idempotency_key" });
  });
});

describe("a credential", () => {
  test.each([
    ["a vault key", "vault_key_0123456789"],
    ["another key", "re_test_real_secret"],
  ])("refuses %s with 401", async (_what, key) => {
    expect((await resendOf(trial, key).emails.send(email)).error).toMatchObject({
      statusCode: 401,
      name: "validation_error",
    });
  });

  test("refuses none, and the right one under another scheme", async () => {
    const basic = `Basic ${btoa(`${trial.sandbox.credentials.resend.reveal()}:`)}`;
    for (const authorization of ["", basic]) {
      const answer = await post("/emails", JSON.stringify(email), { authorization });
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ name: "missing_api_key" });
    }
  });
});

describe("failure on demand", () => {
  test.each([
    ["error_500", { statusCode: 500, name: "internal_server_error" }],
    ["error_429", { statusCode: 429, name: "rate_limit_exceeded" }],
  ])("%s answers so, for an email and for a batch, and sends nothing", async (word, expected) => {
    const before = await count();
    const failing = { ...email, subject: `sandbox:${word}` };
    expect((await resend.emails.send(failing)).error).toMatchObject(expected as object);
    expect((await resend.batch.send([email, failing])).error).toMatchObject(expected as object);
    expect(await count()).toBe(before);
  });

  test("reset loses the answer of an email that was sent", async () => {
    const before = (await count()) ?? 0;
    const { data, error } = await resend.emails.send({ ...email, subject: "sandbox:reset" });
    expect(data).toBeNull();
    expect(error?.name).toBe("application_error");
    expect(await count()).toBe(before + 1);
  });

  test("slow answers", async () => {
    expect((await resend.emails.send({ ...email, subject: "sandbox:slow" })).error).toBeNull();
  });
});
