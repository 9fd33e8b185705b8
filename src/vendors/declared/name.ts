import type { Vendor } from "../vendor.ts";

/** First segments of the control plane's own paths, and of versions, which are many vendors' own. */
const RESERVED: ReadonlySet<string> = new Set(
  "vault keys audit spend budgets vendors brake tokens session policies about alerts doctor docs healthz readyz metrics v1 v2 v3 api".split(
    " ",
  ),
);

/** Why a vendor cannot have this name; undefined where it can. It is the first segment of paths, so it may be nobody else's. */
export function nameProblem(name: string, known: readonly Vendor[]): string | undefined {
  if (!/^[a-z][a-z0-9-]{0,40}$/.test(name)) {
    return `${JSON.stringify(name.slice(0, 60))} is no name for a vendor; use small letters, digits and dashes`;
  }
  if (RESERVED.has(name)) return `${name} is a path of Keybrake's own or a version; use another name`;
  if (known.some((vendor) => vendor.name === name)) {
    return `${name} comes with Keybrake; declare yours under another name`;
  }
  const owner = known.find(({ unprefixed }) => unprefixed.test(`/${name}`));
  return owner && `/${name} is a path of ${owner.title}'s; use another name`;
}
