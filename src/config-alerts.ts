import type { ConfigFile } from "./config-file.ts";
import { secretPlace } from "./config-secrets.ts";
import type { AlertTarget } from "./core/alert-target.ts";
import type { Micros } from "./core/money.ts";

/** The section `alerts` of `keybrake.yaml`. */
export interface AlertSettings {
  readonly targets: readonly AlertTarget[];
  /** Undefined tells of no run's cost. */
  readonly runCostMicros: Micros | undefined;
}

const NAME = /^[a-z0-9][a-z0-9_-]{0,39}$/;

/** @throws Problem that names the setting, what is allowed and what was given. */
export function readAlerts(file: ConfigFile): AlertSettings {
  const section = file.section("alerts");
  const runCostMicros = section.has("run_cost_over") ? section.usd("run_cost_over") : undefined;
  const targets = [...targetsOf(section.section("webhook"), webhook), ...targetsOf(section.section("slack"), slack)];
  const names = targets.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) section.fail("slack", `without a target that is called like a webhook's: ${twice}`);
  section.refuseUnknown();
  return { targets, runCostMicros };
}

function targetsOf(section: ConfigFile, read: (name: string, target: ConfigFile) => AlertTarget): AlertTarget[] {
  return section.names().map((name) => {
    if (!NAME.test(name)) section.fail(name, "under a name of at most 40 of a-z, 0-9, _ and -");
    const target = section.section(name);
    const settings = read(name, target);
    target.refuseUnknown();
    return settings;
  });
}

function webhook(name: string, target: ConfigFile): AlertTarget {
  const isPrivate = target.flag("private") ?? false;
  const url = target.text("url") ?? secretPlace(target, "url");
  const secret = secretPlace(target, "secret");
  if (url === undefined) return target.fail("url", "the https:// URL of the receiver, or url_file or url_env");
  if (secret === undefined) {
    return target.fail("secret_file", "the path of a file with the signing secret; or name a variable with secret_env");
  }
  return { type: "webhook", name, url, secret, isPrivate };
}

function slack(name: string, target: ConfigFile): AlertTarget {
  const isPrivate = target.flag("private") ?? false;
  const url = secretPlace(target, "url");
  // Who knows the URL can post: it is read from where secrets are.
  if (url === undefined) {
    return target.fail(
      "url_file",
      "the path of a file with the URL of the incoming webhook; or name a variable with url_env",
    );
  }
  return { type: "slack", name, url, isPrivate };
}
