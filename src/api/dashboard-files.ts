import { gzipSync } from "node:zlib";
import page from "../dashboard/index.html";

/** One file of the page, ready to be sent. */
export interface DashboardFile {
  /** Without a folder: `chunk-p6n41x9z.js`; its name has the hash of what is in it. */
  readonly name: string;
  readonly type: string;
  readonly etag: string;
  readonly bytes: Uint8Array;
  /** The same, packed. */
  readonly gzipped: Uint8Array;
}

export interface DashboardFiles {
  readonly page: DashboardFile;
  /** By name; the page itself is not among them. */
  readonly assets: ReadonlyMap<string, DashboardFile>;
}

/** What Bun makes of the HTML import when it compiles the binary; from sources there is only the page's path. */
interface Manifest {
  readonly files?: readonly { readonly path: string; readonly loader: string }[];
}

/** A file before it is packed. */
interface Made {
  readonly name: string;
  readonly isPage: boolean;
  readonly text: string;
}

let files: Promise<DashboardFiles> | undefined;

/** The files of the page: those that are in the binary, or built from the sources where there is no binary. Read once. */
export function dashboardFiles(): Promise<DashboardFiles> {
  files ??= pack();
  return files;
}

async function pack(): Promise<DashboardFiles> {
  const { files: bundled } = page as unknown as Manifest;
  const made = bundled ? await fromBinary(bundled) : await fromSources();
  const packed = made.map(dashboardFile);
  const index = made.findIndex(({ isPage }) => isPage);
  return {
    page: packed[index]!,
    assets: new Map(packed.filter((_, at) => at !== index).map((file) => [file.name, file])),
  };
}

function fromBinary(bundled: NonNullable<Manifest["files"]>): Promise<readonly Made[]> {
  return Promise.all(
    bundled.map(async ({ path, loader }) => ({
      name: fileName(path),
      isPage: loader === "html",
      text: await Bun.file(path).text(),
    })),
  );
}

async function fromSources(): Promise<readonly Made[]> {
  const { outputs } = await Bun.build({
    entrypoints: [`${import.meta.dir}/../dashboard/index.html`],
    target: "browser",
    publicPath: "/",
    define: { "process.env.NODE_ENV": '"production"' },
    naming: { chunk: "[name]-[hash].[ext]", asset: "[name]-[hash].[ext]" },
  });
  return Promise.all(
    outputs.map(async (output) => ({
      name: fileName(output.path),
      isPage: output.path.endsWith(".html"),
      text: await output.text(),
    })),
  );
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

function dashboardFile({ name, isPage, text }: Made): DashboardFile {
  // The bundler links from the root; the files stand beside the page, so that a proxy may put both below another path.
  const own = isPage ? text.replaceAll(/(href|src)="\.?\/(?=[^"/])/g, '$1="') : text;
  const bytes = new TextEncoder().encode(own);
  const extension = name.slice(name.lastIndexOf(".") + 1);
  return {
    name,
    type: TYPES[extension] ?? "application/octet-stream",
    etag: `"${new Bun.CryptoHasher("sha256").update(bytes).digest("hex").slice(0, 16)}"`,
    bytes,
    gzipped: gzipSync(bytes),
  };
}
