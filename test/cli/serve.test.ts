import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Problem } from "../../src/core/problem.ts";
import type { RunningServer, ServerOptions } from "../../src/server.ts";
import { Terminal } from "./terminal.ts";

let terminal: Terminal;
beforeEach(() => {
  terminal = new Terminal();
});
afterEach(() => terminal.close());

const TOKEN = "kb_admin_test";

class FakeServer {
  options: ServerOptions | undefined;
  stopped = 0;
  onStop: () => void = () => {};
  /** After it may have calls, and before its start has come to its end. */
  onListening: () => void = () => {};

  constructor(readonly changes: Partial<RunningServer> = {}) {}

  start = async (options: ServerOptions): Promise<RunningServer> => {
    this.options = options;
    options.onListening?.();
    options.log.info("listening", { port: 7878 });
    this.onListening();
    // The signal comes when the start's text is out.
    queueMicrotask(() => setTimeout(() => terminal.signal("SIGTERM"), 0));
    return {
      url: "http://127.0.0.1:7878",
      adminUrl: "http://127.0.0.1:7878",
      dataDir: terminal.data,
      firstAdminToken: undefined,
      sandboxVendors: [],
      unconfiguredVendors: [],
      stop: async () => {
        this.stopped += 1;
        this.onStop();
      },
      ...this.changes,
    };
  };
}

const serve = (server: FakeServer, ...flags: string[]) =>
  terminal.run(["serve", ...flags], "", { server: server.start });

describe("keybrake serve", () => {
  test("says on stderr where it listens and where its data is, then logs JSON", async () => {
    const { out, err, code } = await serve(new FakeServer());
    expect([out, code]).toEqual(["", 0]);
    expect(terminal.mask(err)).toBe(
      [
        "Keybrake listens on http://127.0.0.1:7878",
        "",
        "agents          http://127.0.0.1:7878/{vendor}/…",
        "operators       http://127.0.0.1:7878/ (dashboard), http://127.0.0.1:7878/vault/keys (API), documentation at http://127.0.0.1:7878/docs",
        "data directory  DATA",
        "",
        '{"time":"2026-03-04T05:06:07.000Z","level":"info","event":"listening","port":7878}',
        '{"time":"2026-03-04T05:06:07.000Z","level":"info","event":"stopping","signal":"SIGTERM"}',
        '{"time":"2026-03-04T05:06:07.000Z","level":"info","event":"stopped"}',
        "",
      ].join("\n"),
    );
  });

  test("shows the first admin token once and says that it is kept nowhere", async () => {
    const { err } = await serve(new FakeServer({ firstAdminToken: TOKEN }));
    expect(err.split(TOKEN)).toHaveLength(2);
    expect(err).toContain("shown this once and kept nowhere in clear");
  });

  test("says loudly which vendors are simulated, and which have no secret", async () => {
    const { err } = await serve(
      new FakeServer({ sandboxVendors: ["stripe", "resend"], unconfiguredVendors: ["stripe", "twilio"] }),
    );
    expect(err).toContain("SANDBOX: stripe, resend are simulated. No money moves.");
    expect(err).toContain("calls are answered 503: twilio. Set one with: keybrake vendor set NAME");
  });

  test("passes its flags on as configuration", async () => {
    const server = new FakeServer();
    await serve(
      server,
      "--listen",
      "[::1]:9000",
      "--admin-listen",
      "127.0.0.1:9001",
      "--sandbox",
      "--behind-tls-proxy",
    );
    expect(server.options?.config).toMatchObject({
      dataDir: terminal.data,
      listen: { host: "::1", port: 9000 },
      adminListen: { host: "127.0.0.1", port: 9001 },
      sandbox: true,
      behindTlsProxy: true,
    });
  });

  test("stops at the first signal, asks the server to hurry at the second, and ends at once at the third", async () => {
    const server = new FakeServer();
    const signals = ["SIGINT", "SIGTERM"] as const;
    server.onStop = () => {
      // While the server stops, and again from within.
      const next = signals[server.stopped - 1];
      if (next) terminal.signal(next);
    };
    expect((await serve(server)).code).toBe(130);
    expect(server.stopped).toBe(2);
    expect(terminal.exits).toEqual([143]);
    expect(terminal.listeners).toBe(0);
  });

  test("ends with 0 after one signal", async () => {
    const server = new FakeServer();
    expect(await serve(server)).toMatchObject({ code: 0 });
    expect({ stopped: server.stopped, exits: terminal.exits }).toEqual({ stopped: 1, exits: [] });
  });

  test("lets calls finish also where the signal comes before the start has come to its end", async () => {
    const server = new FakeServer();
    server.onListening = () => terminal.signal("SIGTERM");
    expect(await serve(server)).toMatchObject({ code: 0 });
    expect({ stopped: server.stopped, exits: terminal.exits }).toEqual({ stopped: 1, exits: [] });
  });

  test("ends at once where nothing listens yet", async () => {
    const start = async (): Promise<RunningServer> => {
      terminal.signal("SIGINT");
      throw new Problem("unavailable", "the store does not answer", "look at it");
    };
    await terminal.run(["serve"], "", { server: start });
    expect(terminal.exits).toEqual([130]);
    expect(terminal.listeners).toBe(0);
  });

  test("says why it cannot start, after what the start has logged", async () => {
    const start = async ({ log }: ServerOptions): Promise<RunningServer> => {
      log.error("port_in_use");
      throw new Problem("unavailable", "127.0.0.1:7878 is in use", "stop what listens there, or use --listen");
    };
    const { code, err } = await terminal.run(["serve"], "", { server: start });
    expect(code).toBe(1);
    expect(err).toMatch(
      /"event":"port_in_use"}\nkeybrake: error: 127\.0\.0\.1:7878 is in use\nkeybrake: hint: stop what/,
    );
  });
});
