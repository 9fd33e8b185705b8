import type { AgentSnippet, Vendor } from "../vendor.ts";
import type { Declaration } from "./schema.ts";

type AgentPart = Pick<Vendor, "agentLines" | "agentEnvironment">;

/** What `key issue` prints and `keybrake run` sets. Without any lines of its own a vendor is shown by curl. */
export function agentPart(name: string, { agent = {}, credential }: Declaration): AgentPart {
  const environment = agent.environment ?? usualEnvironment(name);
  const snippets = agent.lines ?? [{ language: "curl", lines: [curlLine(credential)] }];
  return {
    agentLines: (baseUrl, vaultKey, { accountId }) =>
      snippets.map(
        ({ language, lines }): AgentSnippet => ({
          language,
          lines: lines.map((line) => fill(line, baseUrl, vaultKey, accountId)),
        }),
      ),
    agentEnvironment: (baseUrl, vaultKey, { accountId }) =>
      Object.fromEntries(
        Object.entries(environment).map(([key, value]) => [key, fill(value, baseUrl, vaultKey, accountId)]),
      ),
  };
}

function usualEnvironment(name: string): Readonly<Record<string, string>> {
  const prefix = name.toUpperCase().replaceAll("-", "_");
  return { [`${prefix}_API_KEY`]: "{vault_key}", [`${prefix}_BASE_URL`]: "{base_url}" };
}

function curlLine({ scheme, word, header, position }: Declaration["credential"]): string {
  if (scheme === "basic")
    return `curl {base_url}/… -u ${position === "password" ? "{account}:{vault_key}" : "{vault_key}:"}`;
  const line = scheme === "header" ? `${header}: {vault_key}` : `Authorization: ${word ?? "Bearer"} {vault_key}`;
  return `curl {base_url}/… -H "${line}"`;
}

function fill(text: string, baseUrl: string, vaultKey: string, account: string): string {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  const values: Readonly<Record<string, string>> = {
    vault_key: vaultKey,
    vault_key_alphanumeric: vaultKey.replaceAll("_", ""),
    base_url: baseUrl,
    base_host: baseUrl.replace(/^https?:\/\//, ""),
    origin: url?.origin ?? baseUrl,
    https: String(url?.protocol === "https:"),
    account,
  };
  return text.replace(AGENT_PLACEHOLDER, (whole, name: string) => values[name] ?? whole);
}

const AGENT_PLACEHOLDER = /\{([a-z_]+)\}/g;
