import { createApi } from "../../src/api/api.ts";
import type { ApiOptions } from "../../src/api/setting.ts";
import type { LogFields } from "../../src/log.ts";
import type { BrakeView } from "../../src/operate/brake-verbs.ts";
import type {
  AuditPageView,
  IssuedKeyView,
  KeyPage,
  KeyView,
  RevokeView,
  SelfView,
  TemplateView,
  VendorView,
} from "../../src/operate/control-plane.ts";
import { StoreProbe } from "../../src/store/store-probe.ts";
import type { ControlRole } from "../../src/vault/control-token.ts";
import { type Installed, type InstalledSetting, install } from "../operate/installed.ts";
import { ApiDocument } from "./document.ts";

export interface Asked {
  readonly token?: string | null;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, where it is JSON; which of the fields are there is for the test to say. */
  readonly json: AnsweredJson;
}

type AnsweredJson = IssuedKeyView &
  KeyView &
  SelfView &
  KeyPage &
  AuditPageView &
  RevokeView & {
    readonly source: string;
    readonly role: string;
    readonly message: string;
    readonly vendors: readonly VendorView[];
    readonly brakes: readonly BrakeView[];
    readonly released: readonly BrakeView[];
    readonly policies: readonly TemplateView[];
    readonly error: {
      readonly code: string;
      readonly message: string;
      readonly hint: string;
      readonly problems: readonly { readonly field: string; readonly message: string }[];
    };
  };

export interface Served extends Installed {
  /** A token of each role. */
  readonly tokens: Readonly<Record<ControlRole, string>>;
  readonly tokenIds: Readonly<Record<ControlRole, string>>;
  readonly logged: LogFields[];
  readonly probe: StoreProbe;
  readonly metrics: ApiOptions["metrics"];
  /** As the listener asks: with a Host header, and an admin's token unless another or none (null) is given. */
  call(method: string, path: string, asked?: Asked): Promise<Answered>;
  /** The answer itself, for streams. */
  fetchRaw(method: string, path: string, asked?: Asked): Promise<Response>;
}

/** One for all: the document depends on nothing of an installation. */
let document: Promise<ApiDocument> | undefined;

/** The control API on a fresh installation. Every answer that a test gets is held to the OpenAPI document. */
export async function serve(setting: InstalledSetting = {}, own: Partial<ApiOptions> = {}): Promise<Served> {
  const installed = await install(setting);
  const logged: LogFields[] = [];
  const log = { info: () => {}, error: (event: string, fields: LogFields = {}) => logged.push({ event, ...fields }) };
  const probe = new StoreProbe(installed.store, installed.clock);
  const metrics = { text: async () => "keybrake_store_up 1\n" };
  const app = createApi({ ...installed, log, probe, metrics, streamPollMs: 1, ...own });
  document ??= ApiDocument.of({ ...installed, log, probe, metrics });
  const judge = await document;
  const admin = await installed.control.issueToken({ role: "admin" });
  const issuer = await installed.control.issueToken({ role: "issuer" });
  const auditor = await installed.control.issueToken({ role: "auditor" });
  const fetchRaw = (method: string, path: string, { token = admin.token, body, headers = {} }: Asked = {}) =>
    app.handle(
      new Request(`http://keybrake.internal${path}`, {
        method,
        headers: {
          host: "127.0.0.1:7878",
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      }),
    );
  return {
    ...installed,
    probe,
    metrics,
    tokens: { admin: admin.token, issuer: issuer.token, auditor: auditor.token },
    tokenIds: { admin: admin.id, issuer: issuer.id, auditor: auditor.id },
    logged,
    fetchRaw,
    call: async (method, path, asked) => {
      const response = await fetchRaw(method, path, asked);
      const text = await response.text();
      const { status, headers } = response;
      const contentType = headers.get("content-type") ?? "";
      const wrong = judge.contradictions({ method, path, status, contentType, text });
      if (wrong.length > 0) throw new Error(`the document says otherwise: ${wrong.join("; ")}`);
      return { status, headers, text, json: contentType.startsWith("application/json") ? JSON.parse(text) : undefined };
    },
  };
}

/** The body of the published examples. */
export const SEED_BODY = {
  vendor: "stripe",
  daily_usd_cap: 500.0,
  allowed_endpoints: ["POST /v1/payment_intents", "GET /v1/customers/*"],
  expires_in: "2h",
  agent_run_label: "ray-billing/01",
};
