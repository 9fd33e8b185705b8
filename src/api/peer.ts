import type { Config } from "../config.ts";
import { isAddress, isPublicAddress } from "../core/address.ts";

/**
 * The address that a request comes from. Behind a TLS proxy (`--behind-tls-proxy`, and only then) that is the last one of
 * `X-Forwarded-For`, which the proxy itself has written: those before it are the client's word. From the public internet
 * no proxy comes, and the header is the client's alone.
 * @param socket the address at the other end of the connection.
 */
export function peerOf(
  config: Pick<Config, "behindTlsProxy">,
  request: Pick<Request, "headers">,
  socket: string | undefined,
): string | undefined {
  if (!config.behindTlsProxy || (socket !== undefined && isPublicAddress(socket))) return socket;
  const last = request.headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() ?? "";
  const bare = last.replace(/^\[(.*)\](?::\d+)?$/, "$1");
  return isAddress(bare) ? bare : socket;
}
