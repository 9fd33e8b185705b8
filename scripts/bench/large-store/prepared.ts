import { existsSync, mkdirSync, renameSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MIGRATIONS } from "../../../src/store/sqlite/database.ts";
import { disownDirectory, ownDirectory, runProcess } from "../processes.ts";
import { type Context, round } from "../section.ts";

/** Grows with every change of what is generated. */
const GENERATOR_VERSION = 2;
const BYTES_PER_ROW = 750;
/** What the load on it adds, and its write-ahead log. */
const SPARE_BYTES = 4e9;

/**
 * A directory whose `data` holds the large store, to be written to: made anew, or a copy of the one in the cache.
 * @throws Error where the disk has no room for it.
 */
export async function preparedStore(context: Context): Promise<string> {
  const root = join(context.directory, "large");
  const { cacheDirectory, say, sizes } = context;
  const cached = cacheDirectory && join(cacheDirectory, cacheName(context));
  const copies = cached === undefined ? 1 : existsSync(cached) ? 1 : 2;
  requireSpace(cacheDirectory ?? context.directory, copies * sizes.rows * BYTES_PER_ROW + SPARE_BYTES, say);
  if (cached === undefined) {
    say("the large store is not kept for the next run: --cache DIR keeps it");
    mkdirSync(root);
    await make(context, root);
    return root;
  }
  if (!existsSync(cached)) {
    const unfinished = ownDirectory(`${cached}.unfinished-${process.pid}`);
    mkdirSync(unfinished, { recursive: true });
    await make(context, unfinished);
    renameSync(unfinished, cached);
    disownDirectory(unfinished);
  }
  say(`copying the large store from ${cached}`);
  await runProcess(["cp", "-r", "--reflink=auto", cached, root]);
  return root;
}

/** Another one for every size, generator and schema. */
function cacheName({ sizes: { rows, storeKeys, runRows } }: Context): string {
  const what = JSON.stringify([GENERATOR_VERSION, storeKeys, runRows, MIGRATIONS]);
  const kind = new Bun.CryptoHasher("sha256").update(what).digest("hex").slice(0, 12);
  return `large-store-${rows}-rows-${kind}`;
}

async function make({ sizes, say }: Context, root: string): Promise<void> {
  const { rows, storeKeys, runRows } = sizes;
  say(`making a store of ${rows.toLocaleString("en-US")} rows and ${storeKeys.toLocaleString("en-US")} keys`);
  const beganMs = performance.now();
  const script = join(import.meta.dir, "make-database.ts");
  const plan = ["--rows", String(rows), "--keys", String(storeKeys), "--runs", runRows.join(",")];
  const options = { stderr: "inherit", environment: { HOME: root } } as const;
  await runProcess([process.execPath, script, "--data", join(root, "data"), ...plan], options);
  const seconds = round((performance.now() - beganMs) / 1_000);
  const bytes = statSync(join(root, "data/keybrake.db")).size;
  say(`made in ${seconds} s, ${gigabytes(bytes)}`);
  writeFileSync(join(root, "made.json"), JSON.stringify({ rows, keys: storeKeys, seconds, bytes }));
}

function requireSpace(directory: string, needed: number, say: (text: string) => void): void {
  mkdirSync(directory, { recursive: true });
  const { bavail, bsize } = statfsSync(directory);
  const free = bavail * bsize;
  say(`the large store needs ${gigabytes(needed)} in ${directory}, ${gigabytes(free)} are free`);
  if (free < needed) throw new Error(`${gigabytes(needed)} are needed in ${directory}, ${gigabytes(free)} are free`);
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
