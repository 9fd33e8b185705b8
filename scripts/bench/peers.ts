import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

export interface Peer {
  readonly name: string;
  /** Undefined where it is not installed. */
  readonly command: readonly string[] | undefined;
  readonly port: number;
  readonly path: string;
  readonly environment?: Readonly<Record<string, string>>;
}

const BUN = process.execPath;
const here = import.meta.dir;

/** What is measured beside Keybrake, each as a bare reverse proxy that swaps one header. */
export function peers(workDir: string, upstreamPort: number, firstPort: number): Peer[] {
  const upstream = `127.0.0.1:${upstreamPort}`;
  return [
    {
      name: "upstream itself",
      command: [BUN, join(here, "upstream.ts"), String(upstreamPort)],
      port: upstreamPort,
      path: "/v1/payment_intents",
    },
    { name: "nginx, bare", command: nginx(workDir, upstream, firstPort), port: firstPort, path: "/v1/payment_intents" },
    {
      name: "Caddy, bare",
      command: caddy(workDir, upstream, firstPort + 1),
      port: firstPort + 1,
      path: "/v1/payment_intents",
      environment: { GOMAXPROCS: "1", HOME: workDir },
    },
    {
      name: "bare Bun.serve + fetch",
      command: [BUN, join(here, "bare-bun.ts"), String(firstPort + 2), `http://${upstream}`],
      port: firstPort + 2,
      path: "/v1/payment_intents",
    },
  ];
}

function nginx(workDir: string, upstream: string, port: number): string[] | undefined {
  const binary = Bun.which("nginx") ?? Bun.which("nginx", { PATH: "/usr/sbin:/usr/local/sbin" });
  if (!binary) return undefined;
  const file = join(workDir, "nginx.conf");
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${workDir}/${name};`,
  );
  mkdirSync(workDir, { recursive: true });
  writeFileSync(
    file,
    `worker_processes 1; daemon off; pid ${workDir}/nginx.pid; error_log /dev/null;
events { worker_connections 4096; }
http {
  access_log off; ${temp.join(" ")}
  keepalive_requests 1000000000;
  upstream vendor { server ${upstream}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://vendor; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer sk_test_bench_secret";
    }
  }
}
`,
  );
  return [binary, "-e", "/dev/null", "-c", file, "-p", workDir];
}

function caddy(workDir: string, upstream: string, port: number): string[] | undefined {
  const binary = Bun.which("caddy");
  if (!binary) return undefined;
  const file = join(workDir, "Caddyfile");
  writeFileSync(
    file,
    `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  reverse_proxy ${upstream} {
    header_up Authorization "Bearer sk_test_bench_secret"
  }
}
`,
  );
  return [binary, "run", "--config", file, "--adapter", "caddyfile"];
}

export const KEYBRAKE = resolve(process.env["KEYBRAKE_BINARY"] ?? join(here, "../../dist/keybrake"));
