import { checkedHash, type MintedToken, mintToken, tokenBody } from "./checked-token.ts";

/** Who may do what on the control plane: everything; issue and revoke keys; read. */
export const CONTROL_ROLES = ["admin", "issuer", "auditor"] as const;
export type ControlRole = (typeof CONTROL_ROLES)[number];

const PREFIXES = {
  admin: "kb_admin_",
  issuer: "kb_issuer_",
  auditor: "kb_auditor_",
} as const satisfies Record<ControlRole, string>;

export type ParsedControlToken =
  | { readonly ok: true; readonly role: ControlRole; readonly hash: Uint8Array }
  | { readonly ok: false; readonly why: "not_a_control_token" | "bad_checksum" };

/** A new token for `role`: `kb_admin_`, `kb_issuer_` or `kb_auditor_` + 43 random base62 characters + 6 of CRC-32. */
export function mintControlToken(role: ControlRole): MintedToken {
  return mintToken(PREFIXES[role]);
}

/**
 * Reads a bearer token of the control plane. The role is what the token says of itself, for messages only: the one that
 * counts is the stored row's. (The checksum covers the prefix, and so does the hash: a role cannot be swapped.)
 */
export function parseControlToken(text: string): ParsedControlToken {
  for (const role of CONTROL_ROLES) {
    const body = tokenBody(text, PREFIXES[role]);
    if (body === undefined) continue;
    const hash = checkedHash(PREFIXES[role], body);
    return hash === undefined ? { ok: false, why: "bad_checksum" } : { ok: true, role, hash };
  }
  return { ok: false, why: "not_a_control_token" };
}
