import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import manifest from "../../package.json";
import { ROUTES } from "../../src/api/routes.ts";
import { readConfig } from "../../src/config.ts";
import { createProgram } from "../../src/main.ts";
import { Terminal } from "../cli/terminal.ts";
import { usageProblem } from "../docs/command-line.ts";
import {
  composeStarts,
  deployedFiles,
  documentsOf,
  kubernetesStarts,
  type Part,
  ROOT,
  readDeployed,
  unitSettings,
  unitStart,
} from "./deployment.ts";

const UNIT = "systemd/keybrake.service";
const MANIFEST = "kubernetes/keybrake.yaml";
const COMPOSE = ["compose/sqlite.yaml", "compose/postgres.yaml"];

const starts = [
  unitStart(UNIT),
  ...COMPOSE.flatMap(composeStarts),
  ...kubernetesStarts(MANIFEST),
  ...kubernetesStarts("kubernetes/migrate.yaml"),
];
const files = deployedFiles();
const set = documentsOf(MANIFEST).find(({ kind }) => kind === "StatefulSet")!.spec!;
const pod = set.template!.spec!;
const container = pod.containers![0]!;
const VARIABLES = new Set(readFileSync(join(ROOT, "src/config.ts"), "utf8").match(/KEYBRAKE_[A-Z_]+/g));
const DRAIN_S = 25;

test("there is a start in each of the files that have one", () => {
  expect(starts.length).toBe(6);
});

describe.each(starts.map((start) => [start.name, start] as const))("%s", (_name, { words, environment, image }) => {
  test("has a command line that Keybrake takes", () => {
    const terminal = new Terminal();
    const program = createProgram(terminal.cli({ out: "", err: "" }, "", {}));
    expect(usageProblem(program, words)).toBeUndefined();
    terminal.close();
  });

  test("sets only variables that Keybrake reads, and only one of those of the store", () => {
    expect(Object.keys(environment).filter((name) => !VARIABLES.has(name))).toEqual([]);
    expect(environment["KEYBRAKE_STORE"]).toBeUndefined();
  });

  test("has the image of this version", () => {
    if (image) expect(image.split("/").at(-1)).toBe(`keybrake:${manifest.version}`);
  });
});

test.each([...COMPOSE, MANIFEST, "kubernetes/migrate.yaml"])("%s is sound YAML without a key twice", (path) => {
  expect(documentsOf(path).every((document) => typeof document === "object")).toBe(true);
});

test("every image has a version of three or two numbers, and none is called latest", () => {
  const images = files.flatMap((path) => readDeployed(path).match(/^\s*(?:image:|FROM) \S+$/gm) ?? []);
  expect(images.length).toBeGreaterThan(5);
  expect(images.filter((image) => !/:\d+\.\d+(?:\.\d+)?(?:-[a-z]+)?$/.test(image))).toEqual([]);
});

test("no secret stands in a file: URLs have no password, and what is secret comes from files", () => {
  for (const path of files) {
    const text = readDeployed(path);
    expect(text, path).not.toMatch(/[a-z]+:\/\/[^\s/:@]+:[^\s/@]+@/);
    expect(text, path).not.toMatch(/-----BEGIN|keybrake-master-key v\d|kb_(?:admin|issuer|auditor)_[0-9A-Za-z]/);
    expect(text, path).not.toMatch(/^\s*[A-Z_]*PASSWORD["']?\s*[:=]/m);
    expect(text, path).not.toMatch(/kind: Secret\b/);
  }
});

describe("the pods", () => {
  test("are probed at routes that anybody may ask, and restarted only where the process is dead", () => {
    const open = ROUTES.filter(({ method, access }) => method === "GET" && access === "anyone").map(({ path }) => path);
    const paths = ["startupProbe", "livenessProbe", "readinessProbe"].map((probe) => container[probe]!.httpGet!.path!);
    expect(paths.join(" ")).toBe("/healthz /healthz /readyz");
    expect(paths.filter((path) => !open.includes(path))).toEqual([]);
  });

  test("listen on the port that probes and services ask", () => {
    expect(container.args!).toContain(`0.0.0.0:${container.ports![0]!["containerPort"]}`);
    const name = container.ports![0]!["name"];
    const services = documentsOf(MANIFEST).filter(({ kind }) => kind === "Service");
    expect(services.map(({ spec }) => spec!.ports![0]!["targetPort"])).toEqual([name, name] as Part[]);
  });

  test("have the time that a drain takes, after which they are killed", () => {
    const grace = Number(pod.terminationGracePeriodSeconds);
    expect(grace).toBeGreaterThan(Number(container.lifecycle!.preStop!.sleep!.seconds) + DRAIN_S + 5);
  });

  test("run without root, on a root file system that is read only", () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, fsGroupChangePolicy: "OnRootMismatch" });
    expect(container.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
  });

  test("are three, of which one may be away, and every selector means them", () => {
    expect(Number(set.replicas)).toBe(3);
    const { labels } = set.template!.metadata!;
    const budget = documentsOf(MANIFEST).find(({ kind }) => kind === "PodDisruptionBudget")!.spec!;
    expect(Number(budget.maxUnavailable)).toBe(1);
    expect(budget.selector!.matchLabels).toEqual(labels!);
    expect(set.selector!.matchLabels).toEqual(labels!);
    for (const { labelSelector } of pod.topologySpreadConstraints!) expect(labelSelector!.matchLabels).toEqual(labels!);
  });

  test("mount each path that a setting names, and every volume that they have", () => {
    const mounted = (container.volumeMounts as readonly Part[]).map((mount) => mount["mountPath"]!);
    const named = [...container.args!, ...container.env!.map((each: Part) => each["value"]!)];
    const paths = (named as readonly string[]).filter((word) => word.startsWith("/"));
    expect(paths.length).toBe(6);
    expect(paths.filter((path) => !mounted.some((at) => path === at || path.startsWith(`${at}/`)))).toEqual([]);
  });
});

test("keybrake.yaml in the manifest has only settings that there are", () => {
  const text = documentsOf(MANIFEST).find(({ kind }) => kind === "ConfigMap")!.data!["keybrake.yaml"]!;
  const data = mkdtempSync(join(tmpdir(), "keybrake-deploy-"));
  writeFileSync(join(data, "keybrake.yaml"), text);
  const config = readConfig({ data }, {});
  rmSync(data, { recursive: true });
  expect(config.limits.drainTimeoutMs).toBe(DRAIN_S * 1000);
});

test("the master key is handed over where Keybrake looks for one", () => {
  const { masterKeyCandidates } = readConfig({ data: "/nowhere" }, { CREDENTIALS_DIRECTORY: "/credentials" });
  const credential = unitSettings(UNIT)
    .find(([key]) => key === "LoadCredential")![1]
    .split(":")[0];
  expect(masterKeyCandidates).toEqual([`/credentials/${credential}`, "/run/secrets/keybrake-master-key"]);
  for (const path of COMPOSE) expect(Object.keys(documentsOf(path)[0]!.secrets!)).toContain("keybrake-master-key");
  expect(container.volumeMounts!.map((mount: Part) => mount["mountPath"]!)).toContain("/run/secrets" as Part);
});

test("compose files use only secrets and volumes that they declare, and let a drain end", () => {
  for (const path of COMPOSE) {
    const [file] = documentsOf(path);
    for (const [name, service] of Object.entries(file!.services!)) {
      for (const secret of service.secrets ?? []) expect(Object.keys(file!.secrets!), name).toContain(secret);
      for (const volume of service.volumes ?? []) {
        if (/^[a-z]/.test(volume)) expect(Object.keys(file!.volumes!), name).toContain(volume.split(":")[0]!);
      }
      if (name === "keybrake") expect(Number.parseInt(service.stop_grace_period!, 10)).toBeGreaterThan(DRAIN_S + 5);
    }
  }
});

test("one server's port is published on loopback alone, as its plain HTTP must be", () => {
  expect(documentsOf(COMPOSE[0]!)[0]!.services!.keybrake!.ports!.join(" ")).toBe("127.0.0.1:7878:7878");
});

test("the balancer asks a route that there is, finds as many replicas as there are, and repeats no call", () => {
  const text = readDeployed("compose/haproxy.cfg");
  const replicas = Number(documentsOf(COMPOSE[1]!)[0]!.services!.keybrake!.deploy!.replicas);
  expect(text).toContain("uri /readyz ");
  expect(text).toContain(`server-template replica ${replicas} keybrake:7878`);
  expect(text.match(/retry-on .*/g)).toEqual(["retry-on conn-failure"]);
});

test("the unit gives a drain its time, and the server no way to more rights", () => {
  const settings = Object.fromEntries(unitSettings(UNIT));
  expect(Number.parseInt(settings["TimeoutStopSec"]!, 10)).toBeGreaterThan(DRAIN_S + 5);
  expect(settings).toMatchObject({
    NoNewPrivileges: "yes",
    ProtectSystem: "strict",
    CapabilityBoundingSet: "",
    StateDirectory: "keybrake",
    StateDirectoryMode: "0700",
  });
  expect(unitStart(UNIT).environment["KEYBRAKE_DATA"]).toBe("/var/lib/keybrake");
});

test("the image is built of what .dockerignore lets through", () => {
  const copied = [...readDeployed("Dockerfile").matchAll(/^COPY (?:--\S+ )?(\S+) /gm)].map(([, path]) => path!);
  const ignore = readDeployed("Dockerfile.dockerignore").trim().split("\n");
  expect(ignore).toEqual(["*", ...copied.map((path) => `!${path}`)]);
});
