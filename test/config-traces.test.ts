import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../src/config.ts";
import { pairs, traceTarget } from "../src/config-traces.ts";
import { Secret } from "../src/core/secret.ts";

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function tracesOf(yaml: string) {
  const data = mkdtempSync(join(tmpdir(), "keybrake-config-"));
  directories.push(data);
  writeFileSync(join(data, "keybrake.yaml"), yaml);
  return readConfig({ data }, {}).traces;
}

function targetOf(yaml: string, environment: Record<string, string> = {}) {
  const settings = tracesOf(yaml);
  return traceTarget(settings, environment, (place) => new Secret(JSON.stringify(place)));
}

const LOCAL = 'traces: { endpoint: "http://127.0.0.1:4318" }';

describe("where traces go", () => {
  test("is nowhere, where nobody asked for it", () => {
    expect(targetOf("")).toBeUndefined();
    expect(targetOf("", { OTEL_SERVICE_NAME: "x", OTEL_TRACES_SAMPLER: "always_on" })).toBeUndefined();
  });

  test.each([
    [LOCAL, {}, "http://127.0.0.1:4318/v1/traces"],
    ['traces: { endpoint: "https://otlp.example/base/" }', {}, "https://otlp.example/base/v1/traces"],
    ["", { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/" }, "http://collector:4318/v1/traces"],
    [LOCAL, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" }, "http://collector:4318/v1/traces"],
    [
      LOCAL,
      { OTEL_EXPORTER_OTLP_ENDPOINT: "http://a:1", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://b:2/own" },
      "http://b:2/own",
    ],
    [LOCAL, { OTEL_SDK_DISABLED: "true" }, undefined],
    [LOCAL, { OTEL_TRACES_EXPORTER: "none" }, undefined],
    [LOCAL, { OTEL_EXPORTER_OTLP_ENDPOINT: "  " }, "http://127.0.0.1:4318/v1/traces"],
  ])("of %j and %j is %j", (yaml, environment, url) => {
    expect(targetOf(yaml, environment)?.url as string | undefined).toBe(url);
  });

  test.each([
    "ftp://collector",
    "collector:4318",
    "http://user:hunter2@collector",
    "http://collector?key=hunter2",
    "http://collector#hunter2",
  ])("is never %j, whoever says it; and the refusal does not repeat a variable's value", (url) => {
    expect(() => tracesOf(`traces: { endpoint: "${url}" }`)).toThrow("traces.endpoint");
    let message = "";
    try {
      targetOf("", { OTEL_EXPORTER_OTLP_ENDPOINT: url });
    } catch (problem) {
      message = (problem as Error).message;
    }
    expect(message).toStartWith("OTEL_EXPORTER_OTLP_ENDPOINT must be a URL");
    expect(message).not.toContain("hunter2");
  });
});

describe("headers", () => {
  test("come from a file or a variable that the file names, or from the standard ones", () => {
    const yaml = 'traces: { endpoint: "https://otlp.example", headers_file: /etc/otlp }';
    expect(targetOf(yaml)?.headers?.reveal()).toBe('{"file":"/etc/otlp"}');
    const given = { OTEL_EXPORTER_OTLP_HEADERS: "a=b" };
    expect(targetOf(yaml, given)?.headers?.reveal()).toBe('{"environment":"OTEL_EXPORTER_OTLP_HEADERS"}');
    const both = { ...given, OTEL_EXPORTER_OTLP_TRACES_HEADERS: "c=d" };
    expect(targetOf(yaml, both)?.headers?.reveal()).toBe('{"environment":"OTEL_EXPORTER_OTLP_TRACES_HEADERS"}');
  });

  test("do not go to another machine in clear", () => {
    const headers = { OTEL_EXPORTER_OTLP_HEADERS: "x-api-key=hunter2" };
    expect(() => targetOf("", { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318", ...headers })).toThrow(
      "in clear",
    );
    expect(targetOf(LOCAL, headers)).toBeDefined();
  });

  test("are pairs with percent-encoded values, and a wrong one is not repeated", () => {
    expect(pairs("x", "a=b, c = d%2Ce=f ,")).toEqual({ a: "b", c: "d,e=f" });
    for (const wrong of ["hunter2", "a b=hunter2", "a=%zzhunter2", "a=hunter2\r\nx"]) {
      expect(() => pairs("x", wrong)).toThrow("x must be name=value pairs");
      expect(() => pairs("x", wrong)).not.toThrow("hunter2");
    }
  });
});

describe("which calls are traced", () => {
  test.each([
    ["", {}, [1, true]],
    ["sample: 0.1", {}, [0.1, true]],
    ["sample: 0", {}, [0, true]],
    ["sample: 0.1", { OTEL_TRACES_SAMPLER: "always_on" }, [1, false]],
    ["sample: 0.1", { OTEL_TRACES_SAMPLER: "parentbased_always_off" }, [0, true]],
    ["sample: 0.1", { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.25" }, [0.25, false]],
    ["sample: 0.1", { OTEL_TRACES_SAMPLER: "parentbased_traceidratio" }, [0.1, true]],
  ])("by %j and %j", (sample, environment, [ratio, followsParent]) => {
    const target = targetOf(
      `traces:\n  endpoint: http://127.0.0.1:4318\n  ${sample}\n`,
      environment as Record<string, string>,
    );
    expect([target!.sampleRatio, target!.followsParent]).toEqual([ratio as number, followsParent as boolean]);
  });

  test.each(["sample: 1.1", "sample: -1", 'sample: "0.5"', "sampel: 1", "run_labels: yes please"])(
    "never by %j",
    (line) => {
      expect(() => tracesOf(`traces:\n  ${line}\n`)).toThrow(`traces.${line.split(":")[0]}`);
    },
  );

  test.each([
    ["OTEL_TRACES_SAMPLER", "jaeger_remote"],
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"],
    ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "toString"],
  ])("%s=%s is refused with what is allowed", (name, value) => {
    expect(() => targetOf(LOCAL, { [name]: value })).toThrow(`${name} is "${value}"; it must be one of`);
  });
});

test("the log's level stands in the file, or in a variable above it", () => {
  const data = mkdtempSync(join(tmpdir(), "keybrake-config-"));
  directories.push(data);
  writeFileSync(join(data, "keybrake.yaml"), "log_level: error\n");
  expect(readConfig({ data }, {}).logLevel).toBe("error");
  expect(readConfig({ data }, { KEYBRAKE_LOG_LEVEL: "debug" }).logLevel).toBe("debug");
  expect(() => readConfig({ data }, { KEYBRAKE_LOG_LEVEL: "loud" })).toThrow("error, info, debug");
  writeFileSync(join(data, "keybrake.yaml"), "log_level: loud\n");
  expect(() => readConfig({ data }, {})).toThrow('log_level is "loud"; it must be one of error, info, debug');
});
