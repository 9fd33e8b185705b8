import { Problem } from "../../core/problem.ts";
import { checkVendorName } from "../known-vendor.ts";
import type { ControlPlaneOptions } from "../options.ts";
import type { SuggestRequest, SuggestView } from "../policy-verbs.ts";
import { recordedRows } from "./recorded-calls.ts";
import { countingLedger, RunFacts } from "./run-facts.ts";
import { suggestionText } from "./suggestion-text.ts";

/** Longest list of endpoints: what called more had no plan that a template could write down. */
const ENDPOINTS_MAX = 1_000;

/**
 * The tightest template that would have allowed what a run did, with a margin on its amounts; for several vendors where the
 * run called several and the request names none.
 * @throws Problem `not_found` for a run of which no call was sent.
 */
export async function suggestPolicy(options: ControlPlaneOptions, request: SuggestRequest): Promise<SuggestView> {
  const { store, vendors, config } = options;
  const { run } = request;
  const names = request.vendor === undefined ? await vendorsCalled(options, run) : [request.vendor];
  const called = names.map((name) => checkVendorName(vendors, name));
  const ledger = countingLedger(names, config.currencyRates);
  const facts = new Map(called.map((vendor) => [vendor.name, new RunFacts(vendor, ledger)]));
  const filter = { run, ...(names.length === 1 ? { vendor: names[0]! } : {}) };
  for await (const row of recordedRows(store, { filter, withSends: true, onProgress: request.onProgress })) {
    const ofVendor = facts.get(row.vendor);
    ofVendor?.add(row);
    if (ofVendor && ofVendor.endpoints.size > ENDPOINTS_MAX) throw tooManyEndpoints(run, ofVendor.vendor);
  }
  const sent = [...facts.values()].filter(({ calls }) => calls > 0);
  if (sent.length === 0) throw nothingSent(run, [...facts.values()]);
  const calls = sent.reduce((sum, one) => sum + one.calls, 0);
  const of = sent.map(({ vendor }) => vendor);
  return { run, vendor: of.length === 1 ? of[0]! : null, vendors: of, calls, source: suggestionText(sent, request) };
}

function tooManyEndpoints(run: string, vendor: string): Problem {
  return new Problem(
    "invalid",
    `run ${JSON.stringify(run)} called more than ${ENDPOINTS_MAX} endpoints of ${vendor}; a template would list each`,
    "write one by hand; `keybrake audit --run` shows the calls",
  );
}

function nothingSent(label: string, facts: readonly RunFacts[]): Problem {
  const counts = facts.flatMap(({ refused, leftOut }) => [
    ...refused.values(),
    ...[...leftOut.values()].map(({ calls }) => calls),
  ]);
  const calls = counts.reduce((sum, count) => sum + count, 0);
  const why = calls === 0 ? "no call" : `${calls} calls, and none that a template can list was sent`;
  const vendors = facts.map(({ vendor }) => vendor).join(" and ");
  return new Problem("not_found", `run ${JSON.stringify(label)} made ${why} to ${vendors}`, HINT);
}

const HINT = "`keybrake audit --run LABEL` shows the calls of a run";

/** The vendors of the run's calls. */
async function vendorsCalled({ store, vendors }: ControlPlaneOptions, run: string): Promise<readonly string[]> {
  const called: string[] = [];
  for (const { name } of vendors) {
    const { rows } = await store.queryAudit({ run, vendor: name }, { limit: 1 });
    if (rows.length > 0) called.push(name);
  }
  if (called.length === 0) throw new Problem("not_found", `there are no calls of run ${JSON.stringify(run)}`, HINT);
  return called;
}
