import { describe, expect, test } from "bun:test";
import { Voice } from "../../src/cli/voice.ts";
import type { Environment } from "../../src/config.ts";
import { Problem } from "../../src/core/problem.ts";

function speak(say: (voice: Voice) => void, environment: Environment = {}, columns?: number) {
  const written = { out: "", err: "" };
  const sink = (name: "out" | "err") => ({
    write: (text: string) => {
      written[name] += text;
    },
    isTTY: columns !== undefined,
    columns,
  });
  say(new Voice(sink("out"), sink("err"), environment));
  return written;
}

describe("the voice", () => {
  test("says an error and its hint on stderr, each on one line", () => {
    const { out, err } = speak((voice) => voice.fail(new Problem("invalid", "this is\n  wrong", "do that")));
    expect(out).toBe("");
    expect(err).toBe("keybrake: error: this is; wrong\nkeybrake: hint: do that\n");
  });

  test("names a defect as one, without its trace", () => {
    const { err } = speak((voice) => voice.fail(new TypeError("x is not a function")));
    expect(err).toStartWith(
      "keybrake: error: internal error: TypeError: x is not a function\nkeybrake: hint: this is a defect",
    );
    expect(err).not.toContain("    at ");
  });

  test("shows control characters of others instead of sending them to the terminal", () => {
    const { err } = speak((voice) => voice.error("no template \u001b]0;owned\u0007"));
    expect(err).toBe("keybrake: error: no template �]0;owned�\n");
  });

  const loud = (voice: Voice) => {
    voice.say(voice.paint("refused", "red"));
    voice.warn("careful");
  };

  test("has colours on a terminal", () => {
    const { out, err } = speak(loud, {}, 80);
    expect(out).toBe("\u001b[31mrefused\u001b[39m\n");
    expect(err).toBe("keybrake: \u001b[33mwarning:\u001b[39m careful\n");
  });

  test.each([
    ["not on a terminal", {}, undefined],
    ["with NO_COLOR", { NO_COLOR: "1" }, 80],
    ["on a dumb terminal", { TERM: "dumb" }, 80],
  ])("has no colours %s", (_, environment, columns) => {
    const { out, err } = speak(loud, environment, columns);
    expect(out + err).toBe("refused\nkeybrake: warning: careful\n");
  });

  test("has colours with an empty NO_COLOR, as no-color.org says", () => {
    expect(speak(loud, { NO_COLOR: "" }, 80).out).toContain("\u001b[31m");
  });

  test.each([
    [0, 80],
    [120, 120],
    [undefined, undefined],
  ])("takes a terminal of %p columns for %p wide", (columns, width) => {
    const seen: (number | undefined)[] = [];
    speak((voice) => seen.push(voice.width), {}, columns);
    expect(seen).toEqual([width]);
  });

  test("prints one JSON value", () => {
    expect(JSON.parse(speak((voice) => voice.sayJson([{ id: "vk_1" }])).out)).toEqual([{ id: "vk_1" }]);
  });

  test("keeps stdout empty where a table has no rows", () => {
    const { out, err } = speak((voice) => voice.sayTable([{ header: "id", text: String }], [], "there are no keys"));
    expect([out, err]).toEqual(["", "keybrake: there are no keys\n"]);
  });
});
