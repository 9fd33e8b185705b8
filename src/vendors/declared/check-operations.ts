import { METHODS } from "../../core/call.ts";
import { currencyExponent } from "../../core/currency.ts";
import { matchesRoute, parseRoute, type Route } from "../../core/route.ts";
import type { DataPath } from "../../core/yaml-data.ts";
import { routesOf } from "../declared.ts";
import type { Reports } from "./check-declaration.ts";
import type { DeclaredOperation, DeclaredPrice } from "./operation-schema.ts";
import type { Declaration } from "./schema.ts";

/** A route that was read, and the operation it belongs to. */
interface Read {
  readonly route: Route;
  readonly operation: DeclaredOperation;
}

/** Each route is held against all before it, and looked through with calls: a list of thousands would stall both. */
const ROUTES_MAX = 1000;

export function checkOperations(declared: Declaration, path: DataPath, reports: Reports): void {
  const count = declared.operations.reduce((sum, operation) => sum + routesOf(operation).length, 0);
  if (count > ROUTES_MAX) {
    reports.error([...path, "operations"], `operations has ${count} routes; a vendor has ${ROUTES_MAX} at most`);
    return;
  }
  const earlier: Read[] = [];
  for (const [index, operation] of declared.operations.entries()) {
    const at = [...path, "operations", index];
    checkClass(operation, at, reports);
    checkPrice(operation, at, reports);
    checkAnswer(operation, at, reports);
    for (const [position, text] of routesOf(operation).entries()) {
      const where = typeof operation.route === "string" ? [...at, "route"] : [...at, "route", position];
      const route = readRoute(text, where, reports);
      if (!route) continue;
      checkReach({ route, operation }, earlier, where, reports);
      earlier.push({ route, operation });
    }
  }
}

function readRoute(text: string, at: DataPath, { error }: Reports): Route | undefined {
  try {
    return parseRoute(text);
  } catch (cause) {
    error(at, (cause as RangeError).message);
    return undefined;
  }
}

/** A call that an earlier operation takes never gets here: what is priced or closed would be free. */
function checkReach({ route, operation }: Read, earlier: readonly Read[], at: DataPath, reports: Reports): void {
  const path = `/${route.segments.map((segment) => segment.replace("**", "x1/x2").replace("*", "x1")).join("/")}`;
  const methods = route.method === "*" ? METHODS : [route.method];
  const taken = methods.map((method) => earlier.find((read) => matchesRoute(read.route, method, path)));
  const first = taken.find((read) => read !== undefined);
  if (first && taken.every((read) => read !== undefined)) {
    reports.error(at, `"${route.text}" is never reached: "${first.route.text}" above it takes its calls`);
  } else if (first && operation.class !== "free") {
    reports.error(at, `some calls of "${route.text}" are taken by "${first.route.text}" above it; put it first`);
  }
  if (operation.class === "free" && route.text.endsWith(" /**") && !/^(?:GET|HEAD|OPTIONS) /.test(route.text)) {
    reports.warning(at, `"${route.text}" is free: whatever this vendor ever sells would be free, too`);
  }
}

function checkClass(operation: DeclaredOperation, at: DataPath, { error }: Reports): void {
  const { class: opClass, reason, price, kind, graphql } = operation;
  const isRefused = opClass === "closed" || opClass === "unknown";
  if (isRefused && reason === undefined) error(at, `${operation.name} is ${opClass} and has no reason`);
  if (!isRefused && reason !== undefined) error([...at, "reason"], "reason is for what is closed or unknown");
  if (reason !== undefined && !/^[a-z].{9,}[^.]$/.test(reason)) {
    error([...at, "reason"], "reason must be a half sentence like: returns an API key");
  }
  if (opClass === "priced" && !price) error(at, `${operation.name} is priced and has no price`);
  if (opClass !== "priced" && price) error([...at, "price"], `${operation.name} has a price and is not priced`);
  if (opClass === "priced" && (kind === "read" || kind === "write")) {
    error([...at, "kind"], `what is priced is not of the kind ${kind}; leave it out, or name what it pays for`);
  }
  if (opClass === "free" && kind !== undefined && kind !== "read" && kind !== "write") {
    error([...at, "kind"], "what is free is of the kind read or write");
  }
  if (graphql && opClass !== "free") error([...at, "graphql"], "graphql is for an operation of the class free");
}

function checkPrice({ price }: DeclaredOperation, at: DataPath, { error }: Reports): void {
  if (!price) return;
  const where = [...at, "price"];
  const { usd, amount, count, per, each, each_max } = price;
  if ((usd === undefined) === (amount === undefined)) error(where, "price needs usd or amount, and not both");
  if (amount && (count || per !== undefined)) error(where, "count and per go with usd, not with amount");
  if (per === "0") error([...where, "per"], "per must be 1 or more");
  if (per !== undefined && !count && each === undefined)
    error([...where, "per"], "per needs count: a call is one unit");
  if (each_max !== undefined && each === undefined) error([...where, "each_max"], "each_max goes with each");
  if (count?.length === 0) error([...where, "count"], "count is empty; leave it out for a price for each call");
  for (const [index, counter] of (count ?? []).entries()) {
    const given = [counter.number, counter.items, counter.addresses].filter((place) => place !== undefined);
    if (given.length !== 1) error([...where, "count", index], "a count has one of number, items and addresses");
  }
  if (each !== undefined) checkEach(price, where, error);
  const { currency = "usd" } = amount ?? {};
  if (/^[a-z]{3}$/.test(currency) && currencyExponent(currency) === undefined) {
    error([...where, "amount", "currency"], `${currency} is no currency that Keybrake knows`);
  }
}

/** Entries are JSON: a form has no names that begin in one of them. */
function checkEach({ count = [], amount }: DeclaredPrice, at: DataPath, error: Reports["error"]): void {
  const places = [...count.flatMap(({ number, items, addresses }) => [number ?? items ?? addresses]), amount?.at];
  const field = places.find((place) => place !== undefined && !place.startsWith("/"));
  if (field !== undefined) error(at, `with each, ${field} must be a JSON pointer that begins in one entry: /${field}`);
}

function checkAnswer({ answer, price, class: opClass }: DeclaredOperation, at: DataPath, { error }: Reports): void {
  if (!answer) return;
  const where = [...at, "answer"];
  if (opClass !== "priced") error(where, "answer is for what is priced");
  const costs = (["units", "usd", "amount"] as const).filter((name) => answer[name] !== undefined);
  if (costs.length > 1) error(where, `answer has ${costs.join(" and ")}; a cost is read in one place`);
  if (answer.amount !== undefined && !price?.amount) error([...where, "amount"], "answer.amount needs price.amount");
  if (answer.units !== undefined && price?.usd === undefined)
    error([...where, "units"], "answer.units needs price.usd");
}
