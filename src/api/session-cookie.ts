import type { Config } from "../config.ts";

/** As much of a request as is needed here. */
type Asked = Pick<Request, "headers">;

/**
 * Whether the browser talks TLS: with this server, or with the proxy that stands in front of it. Then the cookie has the
 * `__Host-` prefix (RFC 6265bis §4.1.3.2): no page of a sister domain, and nobody on the way, can plant one.
 */
export function isOverTls(config: Config, request: Asked): boolean {
  if (config.tls || config.behindTlsProxy) return true;
  const { protocol, host } = new URL(config.publicUrl);
  return protocol === "https:" && host === (request.headers.get("host") ?? "").toLowerCase();
}

/** With the port, since cookies know none: two servers on one machine must not sign each other out. */
function nameOf(config: Config, request: Asked): string {
  const { port } = config.adminListen ?? config.listen;
  return `${isOverTls(config, request) ? "__Host-" : ""}keybrake_session_${port}`;
}

/** The session's id that the browser sent; undefined where there is none, or two: one of them was planted. */
export function readSessionCookie(config: Config, request: Asked): string | undefined {
  const start = `${nameOf(config, request)}=`;
  const cookies = (request.headers.get("cookie") ?? "").split(";").map((text) => text.trim());
  const [own, ...more] = cookies.filter((text) => text.startsWith(start));
  return own === undefined || more.length > 0 ? undefined : own.slice(start.length);
}

/** `Set-Cookie` for a session, or with an empty id and no time, for the end of one. */
export function sessionCookie(config: Config, request: Asked, id: string, maxAgeMs: number): string {
  const secure = isOverTls(config, request) ? "; Secure" : "";
  const age = Math.floor(maxAgeMs / 1000);
  return `${nameOf(config, request)}=${id}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Strict${secure}`;
}

/** Makes the browser forget the cookie. */
export function endedCookie(config: Config, request: Asked): string {
  return sessionCookie(config, request, "", 0);
}
