import { Problem } from "../../core/problem.ts";
import { checkVendorName } from "../known-vendor.ts";
import type { ControlPlaneOptions } from "../options.ts";
import type { SuggestRequest, SuggestView } from "../policy-verbs.ts";
import { recordedRows } from "./recorded-calls.ts";
import { RunFacts } from "./run-facts.ts";
import { suggestionText } from "./suggestion-text.ts";

/** Longest list of endpoints: what called more had no plan that a template could write down. */
const ENDPOINTS_MAX = 1_000;

/**
 * The tightest template that would have allowed what a run did, with a margin on its amounts.
 * @throws Problem `not_found` for a run of which no call was sent; `invalid` where it called several vendors.
 */
export async function suggestPolicy(options: ControlPlaneOptions, request: SuggestRequest): Promise<SuggestView> {
  const { store, vendors, config } = options;
  const { run } = request;
  const vendorName = request.vendor ?? (await onlyVendor(options, run));
  const facts = new RunFacts(checkVendorName(vendors, vendorName), config.currencyRates);
  const filter = { run, vendor: vendorName };
  for await (const row of recordedRows(store, { filter, withSends: true, onProgress: request.onProgress })) {
    facts.add(row);
    if (facts.endpoints.size > ENDPOINTS_MAX) {
      throw new Problem(
        "invalid",
        `run ${JSON.stringify(run)} called more than ${ENDPOINTS_MAX} endpoints of ${vendorName}; a template would list each`,
        "write one by hand; `keybrake audit --run` shows the calls",
      );
    }
  }
  if (facts.calls === 0) throw nothingSent(run, vendorName, facts);
  return { run, vendor: vendorName, calls: facts.calls, source: suggestionText(facts, request, vendorName) };
}

function nothingSent(label: string, vendor: string, { refused, leftOut }: RunFacts): Problem {
  const counts = [...refused.values(), ...[...leftOut.values()].map(({ calls }) => calls)];
  const calls = counts.reduce((sum, count) => sum + count, 0);
  const why = calls === 0 ? "no call" : `${calls} calls, and none that a template can list was sent`;
  return new Problem("not_found", `run ${JSON.stringify(label)} made ${why} to ${vendor}`, HINT);
}

const HINT = "`keybrake audit --run LABEL` shows the calls of a run";

/** The vendor of the run's calls, where there is one. */
async function onlyVendor({ store, vendors }: ControlPlaneOptions, run: string): Promise<string> {
  const called: string[] = [];
  for (const { name } of vendors) {
    const { rows } = await store.queryAudit({ run, vendor: name }, { limit: 1 });
    if (rows.length > 0) called.push(name);
  }
  const [only, ...others] = called;
  if (only === undefined) throw new Problem("not_found", `there are no calls of run ${JSON.stringify(run)}`, HINT);
  if (others.length === 0) return only;
  throw new Problem(
    "invalid",
    `run ${JSON.stringify(run)} called ${called.join(" and ")}, and a template is for one vendor`,
    `name one, like --vendor ${only}`,
  );
}
