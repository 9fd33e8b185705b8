import type { JsonValue } from "../core/call.ts";
import type { Found, LookUp, Missing } from "./vendor.ts";

/** A read of `path`, with its query where it has one (`/v1/charges/ch_1?expand[]=refunds`). */
export function readOf(pathAndQuery: string): LookUp {
  const mark = pathAndQuery.indexOf("?");
  const path = mark === -1 ? pathAndQuery : pathAndQuery.slice(0, mark);
  const query = mark === -1 ? "" : pathAndQuery.slice(mark + 1);
  return { method: "GET", path, query, form: "" };
}

/** A POST that computes and keeps nothing. */
export function computationOf(path: string, form: string): LookUp {
  return { method: "POST", path, query: "", form };
}

/** The name of a look-up's finding in `Found`. */
export function lookUpName({ method, path, query, form }: LookUp): string {
  return `${method} ${path}${query === "" ? "" : `?${query}`}${form === "" ? "" : ` ${form}`}`;
}

/** What has been found by `lookUp`, or that it is still missing. */
export function findingOf(found: Found, lookUp: LookUp): { readonly ok: true; readonly value: JsonValue } | Missing {
  const value = found.get(lookUpName(lookUp));
  return value === undefined ? missing(lookUp) : { ok: true, value };
}

export function missing(...lookUps: readonly LookUp[]): Missing {
  return { ok: false, code: "look_up", lookUps };
}
