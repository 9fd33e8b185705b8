import type { FindingView } from "./about.ts";
import type { ControlPlaneOptions } from "./options.ts";

type Finding = Omit<FindingView, "check">;

/** A server adds up every few seconds. */
const LEFT_MAX = 100_000;

/** Whether the sums that reports read are those of the rows. */
export async function spendSums({ store }: Pick<ControlPlaneOptions, "store">): Promise<readonly Finding[]> {
  const wrong = await store.checkSpend();
  if (wrong.length > 0) {
    return wrong.map(({ hour, sums, rows }) => ({
      level: "error",
      message: `the sums of ${new Date(hour).toISOString()} are ${sums}; its calls are ${rows}`,
      hint: "restore a backup: the database was changed by something else than keybrake; caps do not rest on these sums",
    }));
  }
  const { left } = await store.spendProgress();
  if (left > LEFT_MAX) {
    const message = `${left} calls are not added up yet: the next \`keybrake spend\` does it and takes a while`;
    return [{ level: "warning", message, hint: "a running server does it, too, little by little" }];
  }
  return [{ level: "ok", message: "the sums of `keybrake spend` equal those of the calls", hint: null }];
}
