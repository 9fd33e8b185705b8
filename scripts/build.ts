/**
 * Compiles the one executable: `bun run build [--target bun-linux-arm64] [--outfile dist/keybrake] [--entry src/main.ts]`.
 * Another target than this machine's fetches that Bun from the npm registry.
 */
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { version } from "../package.json";

const root = resolve(import.meta.dir, "..");

const MAIN = join(root, "src/main.ts");

const { values } = parseArgs({
  options: {
    entry: { type: "string", default: MAIN },
    outfile: { type: "string" },
    target: { type: "string" },
  },
});

const entry = resolve(values.entry);
const outfile = resolve(values.outfile ?? join(root, "dist", defaultName(values.target)));
try {
  await build();
} catch (error) {
  // What is wrong is in the sources or the arguments: a trace through this file would only hide it.
  const causes = error instanceof AggregateError ? error.errors.map((cause) => Bun.inspect(cause)) : [String(error)];
  for (const cause of causes) console.error(cause);
  console.error(`error: could not build ${relative(process.cwd(), outfile)}`);
  process.exitCode = 1;
}

async function build(): Promise<void> {
  const startedAt = new Date();
  mkdirSync(dirname(outfile), { recursive: true });
  // A folder beside the result: moving it into place is one step, so that a server that runs from the old file goes
  // on undisturbed and nobody ever starts half a binary.
  const staging = mkdtempSync(join(dirname(outfile), ".building-"));
  try {
    const built = join(staging, basename(outfile));
    await compile(built);
    chmodSync(built, 0o755);
    // Dated at the start, so that a source that is saved meanwhile is newer than the binary (scripts/start compares).
    utimesSync(built, startedAt, startedAt);
    renameSync(built, outfile);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  const megabytes = Math.round(statSync(outfile).size / 1e6);
  const seconds = ((Date.now() - startedAt.getTime()) / 1000).toFixed(1);
  console.log(`${relative(process.cwd(), outfile)}: keybrake ${version}, ${megabytes} MB, built in ${seconds} s`);
}

async function compile(built: string): Promise<void> {
  await Bun.build({
    // Threads are entries of their own; what else is built here for a test has none.
    entrypoints: entry === MAIN ? [entry, join(root, "src/policy/budget-thread.ts")] : [entry],
    target: "bun",
    // Names and lines in a trace are worth more than a smaller file; Bun itself is 100 MB of it.
    minify: false,
    sourcemap: "linked",
    // Parsed at build time: the server listens in a third of the time.
    bytecode: true,
    format: "esm",
    define: { KEYBRAKE_VERSION: JSON.stringify(version), "process.env.NODE_ENV": '"production"' },
    compile: {
      ...(values.target === undefined ? {} : { target: values.target as Bun.Build.CompileTarget }),
      outfile: built,
      // Otherwise the binary runs code (bunfig's preload) and takes settings (.env) from the folder it is started in,
      // which may be the agent's: it would hand the vendor secrets to whoever can write a file there.
      autoloadBunfig: false,
      autoloadDotenv: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
  });
}

/** `keybrake`, and `keybrake-linux-arm64` for a target that is not this machine's. */
function defaultName(target: string | undefined): string {
  if (target === undefined) return "keybrake";
  return `keybrake-${target.replace(/^bun-/, "")}${target.includes("windows") ? ".exe" : ""}`;
}
