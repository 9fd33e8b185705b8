import type { ConfigFile } from "./config-file.ts";
import { secretPlace } from "./config-secrets.ts";
import type { SecretPlace } from "./core/alert-target.ts";
import { Problem } from "./core/problem.ts";
import type { TraceFormat, TraceTarget } from "./core/trace-target.ts";

/** The section `traces` of `keybrake.yaml`. */
export interface TraceSettings {
  readonly endpoint: string | undefined;
  readonly headers: SecretPlace | undefined;
  readonly sampleRatio: number | undefined;
  readonly showsRunLabels: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws Problem that names the setting, what is allowed and what was given. */
export function readTraces(file: ConfigFile): TraceSettings {
  const section = file.section("traces");
  const endpoint = section.text("endpoint");
  const settings: TraceSettings = {
    endpoint,
    headers: secretPlace(section, "headers"),
    sampleRatio: section.ratio("sample"),
    showsRunLabels: section.flag("run_labels") ?? false,
  };
  section.refuseUnknown();
  if (endpoint !== undefined && urlProblem(endpoint) !== undefined) section.fail("endpoint", urlProblem(endpoint)!);
  return settings;
}

const OTLP_PATH = "/v1/traces";
const FORMATS: Readonly<Record<string, TraceFormat>> = { "http/protobuf": "protobuf", "http/json": "json" };

/** Of OTEL_TRACES_SAMPLER: whether it follows the parent, and its ratio where that is not OTEL_TRACES_SAMPLER_ARG. */
const SAMPLERS: Readonly<Record<string, readonly [followsParent: boolean, ratio: number | undefined]>> = {
  always_on: [false, 1],
  always_off: [false, 0],
  traceidratio: [false, undefined],
  parentbased_always_on: [true, 1],
  parentbased_always_off: [true, 0],
  parentbased_traceidratio: [true, undefined],
};

/**
 * Where a server sends its traces: the standard variables stand above `keybrake.yaml`. Undefined where nobody asked for them.
 * Looked at by servers alone, so that another program's variables stop no command.
 * @param readSecret gives what stands at a place. @throws Problem that names the variable, what is allowed and what was given.
 */
export function traceTarget(
  settings: TraceSettings,
  environment: Environment,
  readSecret: (place: SecretPlace) => TraceTarget["headers"],
): TraceTarget | undefined {
  const text = (name: string) => environment[name]?.trim() || undefined;
  if (text("OTEL_SDK_DISABLED")?.toLowerCase() === "true" || text("OTEL_TRACES_EXPORTER") === "none") return undefined;
  const url = endpointOf(settings, text);
  if (url === undefined) return undefined;
  const headers = headersOf(settings, text, readSecret);
  if (headers && new URL(url).protocol === "http:" && !LOOPBACK.test(new URL(url).hostname)) {
    throw new Problem(
      "invalid",
      `the headers of traces would go to ${new URL(url).origin} in clear`,
      "use an https:// endpoint, or a collector on this machine that adds them",
    );
  }
  const [followsParent, ratio] = samplerOf(text);
  return {
    url,
    format:
      oneOf("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", text, FORMATS) ??
      oneOf("OTEL_EXPORTER_OTLP_PROTOCOL", text, FORMATS) ??
      "protobuf",
    headers,
    serviceName: text("OTEL_SERVICE_NAME") ?? "keybrake",
    resource: pairs("OTEL_RESOURCE_ATTRIBUTES", text("OTEL_RESOURCE_ATTRIBUTES") ?? ""),
    sampleRatio: ratio ?? settings.sampleRatio ?? 1,
    followsParent,
    showsRunLabels: settings.showsRunLabels,
  };
}

type Text = (name: string) => string | undefined;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

function endpointOf({ endpoint }: TraceSettings, text: Text): string | undefined {
  for (const [name, path] of [
    ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", ""],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", OTLP_PATH],
  ] as const) {
    const given = text(name);
    if (given === undefined) continue;
    const problem = urlProblem(given);
    if (problem !== undefined) throw new Problem("invalid", `${name} must be ${problem}`, `mend or unset ${name}`);
    return path === "" ? given : given.replace(/\/+$/, "") + path;
  }
  return endpoint === undefined ? undefined : endpoint.replace(/\/+$/, "") + OTLP_PATH;
}

/** What a URL that is none must be; it is not quoted, because people put passwords into URLs. */
function urlProblem(given: string): string | undefined {
  const wanted = "a URL like http://127.0.0.1:4318, without user, password, query and fragment";
  if (!URL.canParse(given)) return wanted;
  const { protocol, username, password, search, hash } = new URL(given);
  const isPlain = username + password + search + hash === "";
  return isPlain && (protocol === "http:" || protocol === "https:") ? undefined : wanted;
}

function headersOf(
  { headers }: TraceSettings,
  text: Text,
  readSecret: (place: SecretPlace) => TraceTarget["headers"],
): TraceTarget["headers"] {
  for (const environment of ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"]) {
    if (text(environment) !== undefined) return readSecret({ environment });
  }
  return headers && readSecret(headers);
}

function samplerOf(text: Text): readonly [followsParent: boolean, ratio: number | undefined] {
  const sampler = oneOf("OTEL_TRACES_SAMPLER", text, SAMPLERS);
  if (!sampler) return [true, undefined];
  const [followsParent, ratio] = sampler;
  const given = text("OTEL_TRACES_SAMPLER_ARG");
  if (ratio !== undefined || given === undefined) return [followsParent, ratio];
  const part = Number(given);
  if (part >= 0 && part <= 1) return [followsParent, part];
  throw new Problem(
    "invalid",
    `OTEL_TRACES_SAMPLER_ARG is ${JSON.stringify(given)}; it must be a number from 0 to 1`,
    "mend or unset it",
  );
}

function oneOf<T>(name: string, text: Text, allowed: Readonly<Record<string, T>>): T | undefined {
  const given = text(name);
  if (given === undefined) return undefined;
  if (Object.hasOwn(allowed, given)) return allowed[given];
  const names = Object.keys(allowed).join(", ");
  throw new Problem(
    "invalid",
    `${name} is ${JSON.stringify(given)}; it must be one of ${names}`,
    `mend or unset ${name}`,
  );
}

/**
 * Reads `name=value,name=value` with percent-encoded values.
 * @throws Problem that names `where` and not the text, which may be a secret.
 */
export function pairs(where: string, given: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const pair of given.split(",")) {
    if (pair.trim() === "") continue;
    const [, name, value] = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*([^\r\n]*?)\s*$/.exec(pair) ?? [];
    const decoded = value === undefined ? undefined : percentDecoded(value);
    if (name === undefined || decoded === undefined) {
      throw new Problem("invalid", `${where} must be name=value pairs with commas between them`, `mend or unset it`);
    }
    found[name] = decoded;
  }
  return found;
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
