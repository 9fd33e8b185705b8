import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { signature } from "../../src/alerts/message.ts";
import { testNews } from "../../src/alerts/news.ts";
import { type PostOptions, postAlert } from "../../src/alerts/post.ts";
import type { AlertTarget } from "../../src/core/alert-target.ts";
import { Secret } from "../../src/core/secret.ts";
import { type AlertReceiver, startAlertReceiver } from "../harness/alert-receiver.ts";

let receiver: AlertReceiver;
beforeEach(() => {
  receiver = startAlertReceiver();
});
afterEach(() => receiver.stop());

const OPTIONS: PostOptions = {
  clock: { now: () => 1_767_225_600_000 },
  environment: { SIGNING: "whsec_1", EMPTY: " " },
  isPublic: async () => false,
  timeoutMs: 300,
};
const NEWS = testNews(7);

function webhook(own: Partial<Extract<AlertTarget, { type: "webhook" }>> = {}): AlertTarget {
  return {
    type: "webhook",
    name: "ops",
    url: receiver.url,
    secret: { environment: "SIGNING" },
    isPrivate: true,
    ...own,
  };
}

function endless(): Response {
  return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) }));
}

test("a webhook gets the event with its signature", async () => {
  expect(await postAlert(OPTIONS, webhook(), NEWS)).toEqual({ httpStatus: 200, problem: null });
  const [{ headers, body }] = receiver.received as [(typeof receiver.received)[0]];
  expect(headers.get("x-keybrake-signature")).toBe(signature(new Secret("whsec_1"), "1767225600", body));
  expect(headers.get("x-keybrake-timestamp")).toBe("1767225600");
  expect(JSON.parse(body).id).toBe(NEWS.id);
});

test("Slack gets it where the URL in the environment says", async () => {
  const target = { type: "slack", name: "team", url: { environment: "HOOK" }, isPrivate: true } as const;
  const options = { ...OPTIONS, environment: { HOOK: `${receiver.url}\n` } };
  expect(await postAlert(options, target, NEWS)).toEqual({ httpStatus: 200, problem: null });
  expect(receiver.received[0]!.headers.get("x-keybrake-signature")).toBeNull();
});

describe("hostile receivers", () => {
  const CASES: readonly [string, () => Response | Promise<Response>, string | null][] = [
    ["an answer without end", endless, null],
    [
      "a redirect",
      () => new Response(null, { status: 307, headers: { location: receiver.url } }),
      "answered with a redirect, which is not followed",
    ],
    ["a 500 with a long body", () => new Response("secret ".repeat(100_000), { status: 500 }), "answered 500"],
    ["a 410", () => new Response(null, { status: 410 }), "answered 410"],
    ["no answer", () => new Promise<Response>(() => {}), "no answer within 0.3 s"],
  ];
  for (const [title, answer, problem] of CASES) {
    test(`${title}: ${problem ?? "taken"}`, async () => {
      receiver.answer = answer;
      expect((await postAlert(OPTIONS, webhook(), NEWS)).problem).toBe(problem);
      expect(receiver.received.length).toBeLessThanOrEqual(1);
    });
  }

  test("one that is not there cannot be reached, and its URL is not said", async () => {
    await receiver.stop();
    const { problem } = await postAlert(OPTIONS, webhook(), NEWS);
    expect(problem).toStartWith("cannot be reached");
    expect(problem).not.toContain("127.0.0.1");
  });
});

describe("nothing is sent", () => {
  const CASES: readonly [string, () => Partial<Extract<AlertTarget, { type: "webhook" }>>, string][] = [
    ["over http without private", () => ({ isPrivate: false }), "its URL is not https"],
    ["over http to another machine", () => ({ url: "http://10.0.0.1/hook" }), "its URL is not https"],
    [
      "to an inside address without private",
      () => ({ url: "https://10.0.0.1/", isPrivate: false }),
      "its host is not on the public internet",
    ],
    ["to a URL with a password", () => ({ url: "https://u:p@example.com/" }), "its URL cannot be used"],
    ["to what is no URL", () => ({ url: "example" }), "its URL cannot be used"],
    [
      "without the secret",
      () => ({ secret: { environment: "NOWHERE" } }),
      "the environment variable NOWHERE is not there",
    ],
    ["with an empty secret", () => ({ secret: { environment: "EMPTY" } }), "the environment variable EMPTY is empty"],
    [
      "without the secret's file",
      () => ({ secret: { file: "/nonexistent/s" } }),
      "the file /nonexistent/s is not there",
    ],
  ];
  for (const [title, own, problem] of CASES) {
    test(title, async () => {
      expect(await postAlert(OPTIONS, webhook(own()), NEWS)).toEqual({ httpStatus: null, problem });
      expect(receiver.received).toEqual([]);
    });
  }
});
