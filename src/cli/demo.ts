import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { type Config, readConfig } from "../config.ts";
import { type ControlPlane, type IssuedKeyView, LOCAL_ADMIN } from "../operate/control-plane.ts";
import { auditColumns, totalsText } from "./audit-text.ts";
import { type Cli, withExamples } from "./cli.ts";
import { SIGNAL_NUMBERS } from "./signals.ts";
import { dollars } from "./wording.ts";

const LABEL = "demo/stuck-loop";
const ENDPOINT = "POST /v1/payment_intents";
const CAP_USD = 100;
const CHARGE_USD = 20;
/** Five go through, and a loop that is stuck does not stop at the first refusal. */
const LOOP_CALLS = 8;
/** Long enough to read a step, and short enough that the whole stays under 10 s. */
const STEP_PAUSE_MS = 700;
const CALL_PAUSE_MS = 250;

/** `keybrake demo`: the whole story, offline, on a server of its own. */
export function addDemoCommand(program: Command, cli: Cli): void {
  const command = program
    .command("demo")
    .description("show a stuck loop being capped and revoked, offline, in under 10 s")
    .option("--fast", "without pauses")
    .action(({ fast = false }: { fast?: boolean }) => demo(fast, cli));
  withExamples(command, ["keybrake demo"]);
}

/** Nothing of the operator's is touched: the data directory is a temporary one, and goes with the demo. */
async function demo(isFast: boolean, cli: Cli): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "keybrake-demo-"));
  const forget = () => rmSync(folder, { recursive: true, force: true });
  const stopListening = cli.signals.listen((signal) => {
    forget();
    cli.signals.exit(128 + SIGNAL_NUMBERS[signal]!);
  });
  try {
    await tell(demoConfig(folder, "127.0.0.1:0"), folder, new Pace(isFast, cli), cli);
  } finally {
    stopListening();
    forget();
  }
}

function demoConfig(folder: string, listen: string): Config {
  const data = join(folder, "data");
  return readConfig({ data, policies: join(data, "policies"), store: "sqlite:", listen, sandbox: true }, {});
}

/** How the story is told so far. */
class Pace {
  /** What the agent was told last; the same sentence is not printed again. */
  lastMessage: string | undefined;

  constructor(
    readonly isFast: boolean,
    readonly cli: Cli,
  ) {}

  async step(title: string): Promise<void> {
    const { voice } = this.cli;
    await this.pause(STEP_PAUSE_MS);
    voice.say(`\n${voice.paint(title, "bold")}`);
  }

  async pause(durationMs: number): Promise<void> {
    if (!this.isFast) await this.cli.pause(durationMs);
  }
}

async function tell(config: Config, folder: string, pace: Pace, cli: Cli): Promise<void> {
  const { voice } = cli;
  voice.say("A stuck loop meets a cap. All of it happens on this machine: the vendor is simulated and no money moves.");
  const log = { info: () => {}, error: (event: string) => voice.warn(event) };
  const server = await cli.startServer({ config, clock: cli.clock, log, environment: cli.environment });
  const { control, close } = await cli.openControl(demoConfig(folder, new URL(server.url).host));
  try {
    await pace.step("1. The proxy");
    voice.say("$ keybrake serve --sandbox");
    voice.say(`Keybrake listens on ${server.url}`);
    const key = await issue(control, pace);
    await loop(server.url, key, pace);
    await review(control, pace);
    await revoke(control, server.url, key, pace);
    sayWhatNext(cli);
  } finally {
    await close();
    await server.stop();
  }
}

async function issue(control: ControlPlane, pace: Pace): Promise<IssuedKeyView> {
  const { voice } = pace.cli;
  await pace.step(`2. A key for one agent run, that may spend $${CAP_USD} a day`);
  voice.say(
    `$ keybrake key issue --vendor stripe --label ${LABEL} --daily-usd-cap ${CAP_USD} \\\n` +
      `    --allowed-endpoints "${ENDPOINT}" --expires-in 10m`,
  );
  const key = await control.issueKey(
    {
      agent_run_label: LABEL,
      expires_in: "10m",
      policy: { vendor: "stripe", daily_usd_cap: CAP_USD, allowed_endpoints: [ENDPOINT] },
    },
    LOCAL_ADMIN,
  );
  voice.say(`${key.vault_key.slice(0, 16)}…   the agent gets this one, and never sees the real secret`);
  return key;
}

async function loop(url: string, key: IssuedKeyView, pace: Pace): Promise<void> {
  await pace.step(`3. The agent's loop is stuck: it charges $${CHARGE_USD} again and again`);
  for (let call = 1; call <= LOOP_CALLS; call++) {
    await pace.pause(CALL_PAUSE_MS);
    await charge(url, key, call, pace);
  }
}

/** One charge as Stripe's own SDK would send it, and one line about it. */
async function charge(url: string, key: IssuedKeyView, call: number, pace: Pace): Promise<void> {
  const { voice } = pace.cli;
  const answer = await fetch(`${url}/stripe/v1/payment_intents`, {
    method: "POST",
    headers: { authorization: `Bearer ${key.vault_key}`, "content-type": "application/x-www-form-urlencoded" },
    body: `amount=${CHARGE_USD}00&currency=usd&payment_method=pm_card_visa&confirm=true`,
  });
  const text = await answer.text();
  const start = `call ${call}  $${CHARGE_USD}.00  `;
  if (answer.ok) {
    const left = answer.headers.get("x-keybrake-cap-remaining-usd");
    voice.say(
      `${start}${voice.paint(`${answer.status} charged`, "green")}${left === null ? "" : `, ${dollars(left)} left`}`,
    );
    return;
  }
  const { code, message } = refusalOf(text);
  voice.say(`${start}${voice.paint(`${answer.status} ${code}`, "red")}`);
  if (message !== pace.lastMessage) voice.say(`        "${message}"`);
  pace.lastMessage = message;
}

function refusalOf(text: string): { code: string; message: string } {
  const { keybrake } = JSON.parse(text) as { keybrake?: { code?: string; message?: string } };
  return { code: keybrake?.code ?? "", message: keybrake?.message ?? "" };
}

async function review(control: ControlPlane, pace: Pace): Promise<void> {
  const { voice, clock } = pace.cli;
  await pace.step("4. What happened, call by call");
  voice.say(`$ keybrake audit --run ${LABEL}`);
  await settled(control);
  const { rows } = await control.queryAudit({ run: LABEL }, { limit: 100 });
  voice.sayTable(auditColumns(rows, clock.now()), rows, "there are no calls");
  voice.say(totalsText(await control.auditTotals({ run: LABEL })));
}

/** The end of a call is written some milliseconds after its answer; the story is told when all of them are there. */
async function settled(control: ControlPlane): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const { rows } = await control.queryAudit({ run: LABEL, state: "held" }, { limit: 1 });
    if (rows.length === 0) return;
    await Bun.sleep(10);
  }
}

async function revoke(control: ControlPlane, url: string, key: IssuedKeyView, pace: Pace): Promise<void> {
  const { voice } = pace.cli;
  await pace.step("5. The operator ends the run; the real secret stays as it is");
  voice.say(`$ keybrake key revoke --run ${LABEL}`);
  const { revoked } = await control.revokeKeys({ label: LABEL, reason: "stuck loop" }, LOCAL_ADMIN);
  for (const id of revoked) voice.say(`revoked ${id}`);
  await charge(url, key, LOOP_CALLS + 1, pace);
}

function sayWhatNext({ voice }: Cli): void {
  voice.say(
    [
      "",
      voice.paint("What next", "bold"),
      "  keybrake serve --sandbox                       try it with your own agent, still without money",
      "  keybrake key issue --template billing          a key from a template; `keybrake policy list` shows them all",
      "  keybrake vendor set stripe                     then the real account, with `keybrake serve`",
    ].join("\n"),
  );
}
