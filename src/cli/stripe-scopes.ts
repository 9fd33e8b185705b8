import type { Command } from "commander";
import { Problem } from "../core/problem.ts";
import { endpointsNamed } from "../operate/operation-words.ts";
import { type StripeScope, type StripeScopes, stripeScopes } from "../operate/stripe-scopes.ts";
import { loadTemplate } from "../policy/load.ts";
import type { PolicyDocument } from "../policy/policy.ts";
import { stripe } from "../vendors/stripe.ts";
import { type Cli, withExamples } from "./cli.ts";
import { withControl } from "./local.ts";
import type { Column } from "./table.ts";
import type { Colour } from "./voice.ts";

interface ScopesFlags {
  readonly template?: string;
  readonly json?: true;
}

/** `keybrake stripe-scopes`: the ticks of a restricted key for what an agent does. Nothing is sent. */
export function addStripeScopesCommand(program: Command, cli: Cli): void {
  const command = program
    .command("stripe-scopes")
    .description("say which permissions Stripe's restricted key (rk_…) needs, and what each can do at worst")
    .argument("[operations...]", 'operations by name, or routes like "POST /v1/refunds"')
    .option("--template <name>", "those of this template's endpoints")
    .option("--json", "print a JSON object")
    .action(async (operations: readonly string[], { template, json }: ScopesFlags) => {
      const own = endpointsNamed(stripe, operations);
      if (template === undefined && own.length === 0) {
        throw new Problem(
          "usage",
          "there is no operation to find permissions for",
          "name operations (refunds.create), routes, or a template with --template",
        );
      }
      const { allowed, denied } = template === undefined ? NO_TEMPLATE : await endpointsOf(cli, command, template);
      const view = stripeScopes([...own, ...allowed], denied);
      if (json) cli.voice.sayJson(view);
      else sayScopes(view, cli);
    });
  withExamples(command, [
    "keybrake stripe-scopes --template refunds",
    'keybrake stripe-scopes refunds.create "GET /v1/charges/*" --json',
  ]);
}

interface Endpoints {
  readonly allowed: readonly string[];
  readonly denied: readonly string[];
}

const NO_TEMPLATE: Endpoints = { allowed: [], denied: [] };

async function endpointsOf(cli: Cli, command: Command, name: string): Promise<Endpoints> {
  const { source, vendors } = await withControl(cli, command, (control) => control.showTemplate(name));
  if (!vendors.includes("stripe")) {
    throw new Problem(
      "usage",
      `the template ${name} is for ${vendors.join(" and ")}`,
      "restricted keys with permissions are Stripe's",
    );
  }
  const { fields: written } = loadTemplate(source, `${name}.yaml`);
  const fields = (written as PolicyDocument).vendors?.["stripe"] ?? written;
  return { allowed: listOf(fields["allowed_endpoints"]), denied: listOf(fields["denied_endpoints"]) };
}

/** A list as a template may have it: one by one, or in one text with commas. */
function listOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === "string" ? value.split(",").map((each) => each.trim()) : [];
}

function sayScopes({ permissions, dangers, unmapped }: StripeScopes, { voice }: Cli): void {
  voice.sayTable(COLUMNS, permissions, "no permission of Stripe's is known for these endpoints");
  for (const { permissions: together, message } of dangers) voice.warn(`${together.join(" + ")}: ${message}`);
  for (const route of unmapped) voice.note(`${route}: its permission is not known; Stripe's error names it`);
  if (permissions.some(({ origin }) => origin === "derived")) {
    voice.note("~ follows from the path; where Stripe refuses the call, its error names the permission");
  }
  voice.note("a permission has no cap in dollars, no customer and no expiry: those are the policy's");
}

const COLOURS: Readonly<Record<StripeScope["blast_radius"], Colour | undefined>> = {
  extreme: "red",
  high: "yellow",
  medium: undefined,
  low: "green",
};

const COLUMNS: readonly Column<StripeScope>[] = [
  { header: "on the form", text: ({ resource, level }) => `${resource}: ${level}`, widthMin: 16 },
  { header: "permission", text: ({ permission, origin }) => `${permission}${origin === "derived" ? " ~" : ""}` },
  { header: "at worst", text: ({ blast_radius }) => blast_radius, colour: ({ blast_radius }) => COLOURS[blast_radius] },
  { header: "can move", text: movesOf, widthMin: 12 },
  { header: "for", text: (scope) => scope.for.join(", "), widthMin: 12 },
];

function movesOf({ moves, gives_access }: StripeScope): string {
  const words = gives_access ? [...moves, "access to an account"] : moves;
  return words.length === 0 ? "-" : words.join(", ");
}
