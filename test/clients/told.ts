/** What the story of a generated client has to tell, whatever its language. */
export function told(id: unknown): Record<string, unknown> {
  return {
    issued: id,
    listed: [id],
    next: null,
    self: [id, ["500.00"]],
    "agent may not list": { status: 403, code: "forbidden" },
    updated: "250.00",
    misspelt: { status: 422, code: "invalid" },
    braked: "clients/",
    call: 403,
    released: 1,
    audit: [["brake_engaged", "refused"]],
    "auditor may not revoke": { status: 403, code: "forbidden" },
    revoked: [id],
    again: [id],
  };
}
