import { type PriceView, vendorPrices } from "../src/operate/vendor-prices.ts";
import type { Vendor } from "../src/vendors/vendor.ts";

/** The part of a vendor's page of docs/operations on what an operator can set under `prices`. */
export function pricesSection(vendor: Vendor): string {
  const { name } = vendor;
  const rows = vendorPrices([vendor], new Map(), name, false).map(rowOf);
  return [
    "## Prices",
    "",
    `What can be set under \`prices.${name}\` in \`keybrake.yaml\`, in dollars of up to six decimals; 0 is a price, too. A name ` +
      `that is not here stops the start. \`keybrake vendor prices ${name}\` prints the figures in force.`,
    ...(rows.some((row) => row.includes("+…"))
      ? [
          "",
          `Where a name ends in \`+…\`, the beginning of a number in E.164 stands there, as in \`${name}.sms.+44\`; the longest that ` +
            `a number begins with decides, the operator's where two are as long. ` +
            `\`keybrake vendor prices ${name} --all\` shows every prefix.`,
        ]
      : []),
    "",
    `| price | of | where it is not set | as of | source |`,
    `|${" --- |".repeat(5)}`,
    ...rows,
  ].join("\n");
}

function rowOf(view: PriceView): string {
  const { name, unit, as_of, source } = view;
  return `| \`${name}\` | ${unit} | ${builtIn(view)} | ${as_of ?? ""} | ${source ?? ""} |`;
}

function builtIn({ usd, usd_max, prefixes, otherwise }: PriceView): string {
  if (usd === null) return otherwise ?? "refused: `cost_unknown`";
  const range = usd_max === null || usd_max === usd ? `$${usd}` : `$${usd} to $${usd_max}`;
  return prefixes === null
    ? range
    : `${range} for ${prefixes === 1 ? "one prefix" : `${prefixes} prefixes`}, else refused`;
}
