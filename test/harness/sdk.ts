import { join } from "node:path";

export interface SdkPlan {
  readonly sdk: "stripe" | "twilio" | "resend";
  readonly key?: string;
  readonly credentials?: readonly [string, string];
  readonly url: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly calls: readonly (readonly [string, ...unknown[]])[];
}

/** Variables of the SDK's process, beside those of the tests. */
export type SdkEnvironment = Readonly<Record<string, string>>;

export interface SdkResult {
  readonly ok: boolean;
  readonly value?: Record<string, unknown> & { error?: { name: string; message: string; statusCode: number } };
  /** The class of what was thrown. */
  readonly name?: string;
  readonly message?: string;
  readonly status?: number;
  readonly code?: string | number;
  readonly type?: string;
  readonly headers?: Record<string, string>;
}

/** Runs the official SDK on Node, as an agent would, and gives what it made of each call. */
export async function runSdk(plan: SdkPlan, environment: SdkEnvironment = {}): Promise<readonly SdkResult[]> {
  const script = join(import.meta.dir, "../e2e/sdk/run.mjs");
  const child = Bun.spawn(["node", script, JSON.stringify(plan)], {
    env: { ...process.env, ...environment },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`the ${plan.sdk} SDK's process exited ${code}: ${stderr}`);
  return JSON.parse(stdout) as SdkResult[];
}
