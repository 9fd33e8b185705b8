import { type Command, Option } from "commander";
import type { EpochMs } from "../core/window.ts";
import type { IssueTokenRequest, TokenView } from "../operate/control-plane.ts";
import { CONTROL_ROLES, type ControlRole } from "../vault/control-token.ts";
import { type Cli, withExamples } from "./cli.ts";
import { withControl } from "./local.ts";
import { collect, given } from "./policy-flags.ts";
import type { Column } from "./table.ts";
import { dollars, facts, fromNow } from "./wording.ts";

interface IssueFlags {
  readonly role: ControlRole;
  readonly name?: string;
  readonly template?: readonly string[];
  readonly maxDailyUsd?: string;
  readonly json?: true;
  readonly quiet?: true;
}

/** `keybrake token …`: what programs and people hold to use the control API. */
export function addTokenCommands(program: Command, cli: Cli): void {
  const token = program.command("token").description("issue, list and revoke tokens for the control API");
  withExamples(token, ["keybrake token issue --role issuer --template billing --max-daily-usd 500"]);
  addIssue(token, cli);
  addList(token, cli);
  addRevoke(token, cli);
}

function addIssue(token: Command, cli: Cli): void {
  const command = token
    .command("issue")
    .description("issue a control token; it is printed this once")
    .addOption(new Option("--role <role>", "what it may do").choices(CONTROL_ROLES).makeOptionMandatory())
    .option("--name <text>", "whose it is, for `token list`")
    .option("--template <name>", "issuer: may issue keys from this template only; repeatable", collect)
    .option("--max-daily-usd <usd>", "issuer: the highest daily_usd_cap that its keys may have")
    .option("--json", "print a JSON object")
    .addOption(new Option("--quiet", "print the token alone").conflicts("json"))
    .action(async (flags: IssueFlags) => {
      const request: IssueTokenRequest = {
        role: flags.role,
        ...given("name", flags.name),
        ...given("templates", flags.template),
        ...given("max_daily_usd", flags.maxDailyUsd),
      };
      const issued = await withControl(cli, command, (control) => control.issueToken(request), flags);
      if (flags.json) return cli.voice.sayJson(issued);
      if (flags.quiet) return cli.voice.say(issued.token);
      cli.voice.say(
        [
          issued.token,
          "",
          facts([
            ["id", issued.id],
            ["role", issued.role],
            ["name", issued.name],
            ["templates", issued.templates?.join(", ")],
            ["highest cap", issued.max_daily_usd === null ? null : `${dollars(issued.max_daily_usd)} a day`],
          ]),
          "",
          `This is the only time that the token is shown. Revoke it with: keybrake token revoke ${issued.id}`,
        ].join("\n"),
      );
    });
  withExamples(command, [
    "keybrake token issue --role issuer --name scheduler --template billing --max-daily-usd 500",
    "export KEYBRAKE_API_KEY=$(keybrake token issue --role auditor --quiet)",
  ]);
}

const columns = (now: EpochMs): readonly Column<TokenView>[] => [
  { header: "id", text: ({ id }) => id },
  { header: "role", text: ({ role }) => role },
  { header: "name", text: ({ name }) => name ?? "-", widthMin: 6 },
  { header: "templates", text: ({ templates }) => templates?.join(", ") ?? "all", widthMin: 6 },
  { header: "cap", text: ({ max_daily_usd }) => (max_daily_usd === null ? "-" : dollars(max_daily_usd)) },
  { header: "created", text: ({ created_at }) => fromNow(created_at, now) },
  {
    header: "status",
    text: ({ revoked_at }) => (revoked_at === null ? "active" : "revoked"),
    colour: ({ revoked_at }) => (revoked_at === null ? "green" : "red"),
  },
];

function addList(token: Command, cli: Cli): void {
  const command = token
    .command("list")
    .description("list the control tokens; never the tokens themselves")
    .option("--json", "print a JSON array")
    .action(async ({ json }: { json?: true }) => {
      const tokens = await withControl(cli, command, (control) => control.listTokens());
      if (json) cli.voice.sayJson(tokens);
      else cli.voice.sayTable(columns(cli.clock.now()), tokens, "there are no tokens");
    });
  withExamples(command, ["keybrake token list"]);
}

function addRevoke(token: Command, cli: Cli): void {
  const command = token
    .command("revoke")
    .description("revoke a control token; keys that it issued go on")
    .argument("<id>", "the token's id, as `keybrake token list` shows it")
    .option("--json", "print a JSON object")
    .action(async (id: string, { json }: { json?: true }) => {
      const view = await withControl(cli, command, (control) => control.revokeToken(id));
      if (json) cli.voice.sayJson(view);
      else cli.voice.say(view.revoked ? `revoked ${id}` : `${id} was revoked before`);
    });
  withExamples(command, ["keybrake token revoke tok_01j…"]);
}
