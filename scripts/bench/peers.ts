import { existsSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../test/harness/free-port.ts";
import { charge, type LoadRequest } from "./load.ts";
import { type Process, startProcess, untilListening } from "./processes.ts";

/** What is measured beside Keybrake, as it is started. */
export interface Peer {
  readonly name: string;
  readonly port: number;
  readonly url: string;
  readonly request: LoadRequest;
  /** How it was asked, where that is not the same request as everybody's. */
  readonly note?: string;
}

interface PeerPlan {
  readonly name: string;
  /** Undefined where it is not installed. */
  readonly command: (setting: Setting) => readonly string[] | undefined;
  readonly environment?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly request?: (setting: Setting) => LoadRequest;
  readonly note?: string;
}

interface Setting {
  readonly directory: string;
  readonly upstream: string;
  readonly port: number;
}

const BUN = process.execPath;
const here = import.meta.dir;
const PATH = "/v1/payment_intents";
/** What a bare proxy puts in the place of the client's credential. */
const CREDENTIAL = "Bearer sk_test_bench_secret";

/** Where scripts/bench/install-peers puts what comes from npm. */
const NPM_PEERS =
  process.env["KEYBRAKE_BENCH_PEERS"] ??
  join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "keybrake-bench");

const NGINX: PeerPlan = { name: "nginx, bare", command: nginx };

/** Each is a bare reverse proxy that swaps one header, but the last. */
const PLANS: readonly PeerPlan[] = [
  NGINX,
  { name: "HAProxy, bare", command: haproxy },
  { name: "Caddy, bare", command: caddy, environment: { GOMAXPROCS: "1" } },
  {
    name: "bare Bun.serve + fetch",
    command: ({ port, upstream }) => [BUN, join(here, "bare-bun.ts"), String(port), `http://${upstream}`],
  },
  {
    name: "Portkey gateway",
    command: portkey,
    path: "/v1/chat/completions",
    request: portkeyRequest,
    note: "the Portkey gateway refuses a form with 400; it was asked on its chat route, with the same fields as the message of a JSON body",
  },
];

/** The vendor itself, with nothing between. */
export async function startUpstream(): Promise<Peer> {
  const port = await freePort();
  const child = startProcess([BUN, join(here, "upstream.ts"), String(port)]);
  await untilListening(child, port, "the upstream");
  return { name: "upstream itself", port, url: `http://127.0.0.1:${port}${PATH}`, request: charge("sk_test_bench") };
}

/** Those that are installed; `say` is told of the others. */
export async function startPeers(directory: string, upstreamPort: number, say: (text: string) => void) {
  const started: Peer[] = [];
  for (const plan of PLANS) {
    const peer = await startPeer(plan, directory, upstreamPort);
    if (peer) started.push(peer);
    else say(`${plan.name}: not installed, left out (scripts/bench/install-peers)`);
  }
  return started;
}

/** Undefined where it is not installed. */
export function startNginx(directory: string, upstreamPort: number): Promise<Peer | undefined> {
  return startPeer(NGINX, directory, upstreamPort);
}

async function startPeer(plan: PeerPlan, directory: string, upstreamPort: number): Promise<Peer | undefined> {
  const port = await freePort();
  const setting = { directory, upstream: `127.0.0.1:${upstreamPort}`, port };
  const command = plan.command(setting);
  if (!command) return undefined;
  const child: Process = startProcess(command, { environment: { HOME: directory, ...plan.environment } });
  await untilListening(child, port, plan.name);
  const url = `http://127.0.0.1:${port}${plan.path ?? PATH}`;
  const request = plan.request?.(setting) ?? charge("sk_test_bench");
  return { name: plan.name, port, url, request, ...(plan.note === undefined ? {} : { note: plan.note }) };
}

function installed(name: string): string | null {
  return Bun.which(name) ?? Bun.which(name, { PATH: "/usr/sbin:/usr/local/sbin" });
}

function nginx({ directory, upstream, port }: Setting): string[] | undefined {
  const binary = installed("nginx");
  if (!binary) return undefined;
  const file = join(directory, "nginx.conf");
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  writeFileSync(
    file,
    `worker_processes 1; daemon off; pid ${directory}/nginx.pid; error_log /dev/null;
events { worker_connections 4096; }
http {
  access_log off; ${kinds.map((kind) => `${kind}_temp_path ${directory}/${kind};`).join(" ")}
  keepalive_requests 1000000000;
  upstream vendor { server ${upstream}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://vendor; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Authorization "${CREDENTIAL}";
    }
  }
}
`,
  );
  return [binary, "-e", "/dev/null", "-c", file, "-p", directory];
}

function haproxy({ directory, upstream, port }: Setting): string[] | undefined {
  const binary = installed("haproxy");
  if (!binary) return undefined;
  const file = join(directory, "haproxy.cfg");
  writeFileSync(
    file,
    `global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend agents
  bind 127.0.0.1:${port}
  default_backend vendor
backend vendor
  http-request set-header Authorization "${CREDENTIAL}"
  server vendor ${upstream}
`,
  );
  return [binary, "-db", "-q", "-f", file];
}

function caddy({ directory, upstream, port }: Setting): string[] | undefined {
  const binary = installed("caddy");
  if (!binary) return undefined;
  const file = join(directory, "Caddyfile");
  writeFileSync(
    file,
    `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  reverse_proxy ${upstream} {
    header_up Authorization "${CREDENTIAL}"
  }
}
`,
  );
  return [binary, "run", "--config", file, "--adapter", "caddyfile"];
}

function portkey({ port }: Setting): string[] | undefined {
  const script = join(NPM_PEERS, "node_modules/@portkey-ai/gateway/build/start-server.js");
  const node = Bun.which("node");
  return node && existsSync(script) ? [node, script, `--port=${port}`, "--headless"] : undefined;
}

function portkeyRequest({ upstream }: Setting): LoadRequest {
  const { body } = charge("");
  return {
    body: JSON.stringify({ model: "bench", messages: [{ role: "user", content: body }] }),
    headers: {
      "Content-Type": "application/json",
      Authorization: "Bearer sk_test_bench",
      "x-portkey-provider": "openai",
      "x-portkey-custom-host": `http://${upstream}/v1`,
    },
  };
}
