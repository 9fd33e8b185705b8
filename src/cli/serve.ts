import type { Command } from "commander";
import { type Config, readConfig } from "../config.ts";
import { jsonLog, type LimitedLog, type LogLevel, limitErrors } from "../log.ts";
import type { RunningServer } from "../server.ts";
import { type Cli, globalFlags, withExamples } from "./cli.ts";
import type { EndSignal } from "./signals.ts";
import { SIGNAL_NUMBERS } from "./signals.ts";
import { facts } from "./wording.ts";

interface ServeFlags {
  readonly listen?: string;
  readonly adminListen?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly sandbox?: true;
  readonly behindTlsProxy?: true;
}

/** `keybrake serve`: the proxy and its control API, until a signal. */
export function addServeCommand(program: Command, cli: Cli): void {
  const command = program
    .command("serve")
    .description("run the proxy, the control API with its documentation, and the dashboard")
    .option("--listen <host:port>", "where agents and operators reach it (default: 127.0.0.1:7878)")
    .option("--admin-listen <host:port>", "take the control API away from --listen, to an address of its own")
    .option(
      "--tls-cert <file>",
      "speak TLS, with this certificate and its chain in PEM; renewed files are taken by themselves",
    )
    .option("--tls-key <file>", "its key, in PEM")
    .option("--sandbox", "serve vendors that have no secret from the built-in sandbox; no money moves there")
    .option("--behind-tls-proxy", "allow an address that other machines reach: something in front of it adds TLS")
    .action(async (flags: ServeFlags) => {
      const config = readConfig({ ...globalFlags(command), ...flags }, cli.environment);
      await serve(config, cli);
    });
  withExamples(command, [
    "keybrake serve",
    "keybrake serve --sandbox --listen 127.0.0.1:9000 --data ./state",
    "keybrake serve --listen 0.0.0.0:7878 --tls-cert /etc/keybrake/fullchain.pem --tls-key /etc/keybrake/privkey.pem",
    "keybrake serve --listen 0.0.0.0:7878 --admin-listen 127.0.0.1:7879 --behind-tls-proxy",
  ]).addHelpText(
    "after",
    "\nSIGTERM and SIGINT let running calls finish; a second one aborts them. What was under way then counts as spent until\n" +
      "it is resolved. Logs are JSON, one object a line, on stderr.",
  );
}

async function serve(config: Config, cli: Cli): Promise<void> {
  const { log, release } = heldBackLog(cli, config.logLevel);
  const ending = endSignal(cli);
  let server: RunningServer;
  try {
    const { clock, environment } = cli;
    server = await cli.startServer({ config, clock, log, environment, onListening: ending.await });
    cli.voice.noteRaw(startText(server, cli));
  } catch (cause) {
    ending.forget();
    throw cause;
  } finally {
    release();
  }
  const signal = await ending.signal;
  log.info("stopping", { signal });
  let second: EndSignal | undefined;
  const stopListening = cli.signals.listen((next) => {
    // The second one lets nothing finish and still writes what it can; only a third one is faster than the disk.
    if (second) return cli.signals.exit(128 + SIGNAL_NUMBERS[next]!);
    second = next;
    void server.stop();
  });
  await server.stop();
  stopListening();
  log.flush();
  log.info("stopped");
  if (second) cli.exitCode = 128 + SIGNAL_NUMBERS[second]!;
}

/** A log whose lines wait for `release`, so that the start's text for people comes first and whole. */
function heldBackLog({ clock, voice }: Cli, level: LogLevel): { log: LimitedLog; release: () => void } {
  let waiting: string[] | undefined = [];
  const write = (line: string) => {
    if (waiting) waiting.push(line);
    else voice.noteRaw(line);
  };
  const lines = jsonLog(clock.now, write, level);
  const log = limitErrors(lines);
  const release = () => {
    for (const line of waiting ?? []) voice.noteRaw(line);
    waiting = undefined;
  };
  return { log, release };
}

/** The first signal once calls may come in (`await`); before that one ends the process at once, as it does by itself. */
function endSignal({ signals }: Cli) {
  let isAwaited = false;
  const { promise, resolve } = Promise.withResolvers<EndSignal>();
  const forget = signals.listen((signal) => {
    if (!isAwaited) return signals.exit(128 + SIGNAL_NUMBERS[signal]!);
    forget();
    resolve(signal);
  });
  return {
    signal: promise,
    await: () => {
      isAwaited = true;
    },
    forget,
  };
}

/** What a person who starts the server wants to know, once. */
export function startText(server: RunningServer, { voice }: Cli): string {
  const { url, adminUrl, dataDir, firstAdminToken, sandboxVendors, unconfiguredVendors } = server;
  const lines = [
    `Keybrake listens on ${voice.bright(url)}`,
    "",
    facts([
      ["agents", `${url}/{vendor}/…`],
      ["operators", `${adminUrl}/ (dashboard), ${adminUrl}/vault/keys (API), documentation at ${adminUrl}/docs`],
      ["data directory", dataDir],
    ]),
  ];
  if (sandboxVendors.length > 0) {
    lines.push(
      "",
      voice.alert(
        `SANDBOX: ${sandboxVendors.join(", ")} ${sandboxVendors.length > 1 ? "are" : "is"} simulated. No money moves.`,
      ),
      "Every such answer carries X-Keybrake-Sandbox: true. To use a real account: keybrake vendor set NAME",
    );
  }
  const missing = unconfiguredVendors.filter((name) => !sandboxVendors.includes(name));
  if (missing.length > 0) {
    lines.push(
      "",
      `Without a secret, calls are answered 503: ${missing.join(", ")}. Set one with: keybrake vendor set NAME`,
    );
  }
  if (firstAdminToken !== undefined) {
    lines.push(
      "",
      "Admin token for dashboard and control API, shown this once and kept nowhere in clear:",
      `  ${firstAdminToken}`,
      "(On this machine the command line needs no token. A new one: keybrake token issue --role admin)",
    );
  }
  return `${lines.join("\n")}\n\n`;
}
