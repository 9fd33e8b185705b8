import { KeybrakeInstallation, keyRequest } from "../installation.ts";
import { type LoadResult, load } from "../load.ts";
import { startUpstream } from "../peers.ts";
import { atLeast, type Context, type Findings, measured, median, type Section } from "../section.ts";

/** Keys issued through the API by 32 clients, each with a label of its own; every one is on disk when it is shown. */
export const KEY_ISSUE: Section = { name: "key-issue", title: "Keys issued through the API", run };

const TURN = "TURN";

async function run({ directory, say, sizes }: Context): Promise<Findings> {
  const upstream = await startUpstream();
  const installation = await KeybrakeInstallation.open(directory, upstream.port);
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${await installation.adminToken()}` };
  await installation.serve();
  const template = keyRequest(`bench/${TURN}`);
  const [before, after] = template.split(TURN) as [string, string];
  const options = {
    url: `${installation.url}/vault/keys`,
    connections: 32,
    request: { body: template, headers },
    luaBody: `${JSON.stringify(before)} .. turn .. ${JSON.stringify(after)}`,
  };
  say("warm-up");
  await load(directory, { ...options, seconds: sizes.warmUpSeconds });
  const results: LoadResult[] = [];
  for (let round = 1; round <= sizes.rounds; round++) {
    say(`round ${round} of ${sizes.rounds}`);
    results.push(await load(directory, { ...options, seconds: sizes.seconds }));
  }
  const rate = median(results.map(({ requestsPerSecond }) => requestsPerSecond));
  const p99Ms = median(results.map((result) => result.p99Ms));
  return {
    rows: [
      measured(
        "keys issued through the API",
        Math.round(rate),
        "keys/s",
        atLeast(3_000),
        `32 clients, p99 ${p99Ms} ms`,
      ),
    ],
  };
}
