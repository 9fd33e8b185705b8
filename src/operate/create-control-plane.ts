import { about } from "./about.ts";
import { listAlerts, testAlerts } from "./alerts.ts";
import { auditTotals, queryAudit } from "./audit.ts";
import { engageBrake, listBrakes, releaseBrake } from "./brakes.ts";
import type { ControlPlane } from "./control-plane.ts";
import { doctor } from "./doctor.ts";
import { explainCall } from "./explain.ts";
import { exportAudit } from "./export-audit.ts";
import { issueKey } from "./issue-key.ts";
import { listKeys, self, showKey, updateKey } from "./keys.ts";
import type { ControlPlaneOptions } from "./options.ts";
import { probeVendor } from "./probe-vendor.ts";
import { pruneAudit } from "./prune-audit.ts";
import { resolveCall } from "./resolve.ts";
import { revokeKeys } from "./revoke-keys.ts";
import { listSharedBudgets } from "./shared-budgets.ts";
import { spend } from "./spend.ts";
import { listTemplates, showTemplate } from "./templates.ts";
import { issueToken, listTokens, revokeToken } from "./tokens.ts";
import { replayPolicy } from "./tuning/replay.ts";
import { suggestPolicy } from "./tuning/suggest.ts";
import { vendorOperations } from "./vendor-operations.ts";
import { vendorPrices } from "./vendor-prices.ts";
import { listVendors, removeVendor, setVendor } from "./vendors.ts";
import { verifyAudit } from "./verify-audit.ts";
import { verifyExportFile } from "./verify-export.ts";

/** The control plane on a store of its own process: what the server's API and the local command line both work with. */
export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  return {
    issueKey: (request, actor) => issueKey(options, request, actor),
    listKeys: (filter, actor) => listKeys(options, filter, actor),
    showKey: (id, actor) => showKey(options, id, actor),
    updateKey: (id, change, actor) => updateKey(options, id, change, actor),
    revokeKeys: (request, actor) => revokeKeys(options, request, actor),
    self: (tokenHash) => self(options, tokenHash),
    listSharedBudgets: (filter, actor) => listSharedBudgets(options, filter, actor),
    listVendors: () => listVendors(options),
    setVendor: (name, settings) => setVendor(options, name, settings),
    removeVendor: (name) => removeVendor(options, name),
    testVendor: (name) => probeVendor(options, name),
    vendorOperations: async (name) => vendorOperations(options.vendors, name),
    vendorPrices: async (name, isFull) => vendorPrices(options.vendors, options.config.prices, name, isFull),
    engageBrake: (request) => engageBrake(options, request),
    releaseBrake: (request) => releaseBrake(options, request),
    listBrakes: () => listBrakes(options),
    issueToken: (request) => issueToken(options, request),
    listTokens: () => listTokens(options),
    revokeToken: (id) => revokeToken(options, id),
    queryAudit: (filter, page) => queryAudit(options, filter, page),
    auditTotals: (filter) => auditTotals(options, filter),
    spend: (request, actor) => spend(options, request, actor),
    resolveCall: (id, request, actor) => resolveCall(options, id, request, actor),
    verifyAudit: (request) => verifyAudit(options, request),
    verifyExport: (path) => verifyExportFile(path, options.chainKey),
    exportAudit: (request) => exportAudit(options, request),
    pruneAudit: (request) => pruneAudit(options, request),
    listTemplates: () => listTemplates(options),
    showTemplate: (name) => showTemplate(options, name),
    explain: (request) => explainCall(options, request),
    replayPolicy: (request) => replayPolicy(options, request),
    suggestPolicy: (request) => suggestPolicy(options, request),
    listAlerts: (limit) => listAlerts(options, limit),
    testAlerts: (target) => testAlerts(options, target),
    about: async () => about(options),
    doctor: () => doctor(options),
  };
}
