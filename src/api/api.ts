import { type AnyElysia, Elysia } from "elysia";
import { causeText } from "../log.ts";
import { aboutController } from "./about.ts";
import { alertController } from "./alerts.ts";
import { auditController } from "./audit.ts";
import { auditChainController } from "./audit-chain.ts";
import { Gate } from "./auth.ts";
import { brakeController } from "./brake.ts";
import { budgetController } from "./budgets.ts";
import { dashboardController } from "./dashboard.ts";
import { docsController } from "./docs.ts";
import { errorAnswer } from "./errors.ts";
import { guard, refuseRepeatedParameters } from "./guard.ts";
import { healthController } from "./health.ts";
import { refuseDeepJson } from "./json-depth.ts";
import { keyControllers } from "./keys.ts";
import { metricsController } from "./metrics.ts";
import { policyController } from "./policies.ts";
import { resolveController } from "./resolve.ts";
import { guarded } from "./response-headers.ts";
import { selfController } from "./self.ts";
import { sessionController } from "./session.ts";
import { type ApiOptions, type ApiSetting, ELYSIA } from "./setting.ts";
import { spendController } from "./spend.ts";
import { tokenController } from "./tokens.ts";
import { vendorController } from "./vendors.ts";

export { isControlPath } from "./routes.ts";

/** The control plane over HTTP. */
export interface Api {
  readonly routes: readonly { readonly method: string; readonly path: string }[];
  /** @param socketAddress of whoever is at the other end of the connection. */
  handle(request: Request, socketAddress?: string): Promise<Response>;
}

/**
 * The control plane over HTTP. It is asked with `handle(request)` and never listens by itself: the server's own listener
 * has the socket. Each request passes in this order: Host and Origin, token, role, schema, handler.
 */
export function createApi(options: ApiOptions): Api {
  const gate = new Gate(options);
  const setting: ApiSetting = { ...options, gate };
  const app = new Elysia(ELYSIA)
    .onRequest(async ({ request }) => {
      guard(options.config, request);
      await gate.identify(request);
      refuseRepeatedParameters(request);
      if (request.body !== null) refuseDeepJson(await request.clone().text());
    })
    .onTransform(({ request, route }) => gate.admit(request, route))
    .onError(({ error, request, set }) => {
      const { status, headers, body, isDefect } = errorAnswer(error, request);
      if (isDefect) options.log.error("api_failed", { cause: causeText(error) });
      set.status = status;
      Object.assign(set.headers, headers);
      return body;
    });
  for (const controller of controllers(setting)) app.use(controller);
  app.use(docsController(() => controllers(setting)));
  return {
    routes: app.routes,
    handle: async (request, socketAddress) => {
      // HEAD is answered as GET is, without the body (RFC 9110 §9.3.2); a stream is not even begun to be read.
      const isHead = request.method === "HEAD";
      const asked = isHead ? new Request(request.url, { method: "GET", headers: request.headers }) : request;
      gate.arrived(asked, socketAddress);
      const response = guarded(await app.handle(asked));
      if (!isHead) return response;
      await response.body?.cancel();
      return new Response(null, response);
    },
  };
}

function controllers(setting: ApiSetting): readonly AnyElysia[] {
  return [
    healthController(setting),
    metricsController(setting),
    dashboardController(),
    ...keyControllers(setting),
    selfController(setting),
    budgetController(setting),
    auditController(setting),
    auditChainController(setting),
    spendController(setting),
    resolveController(setting),
    vendorController(setting),
    brakeController(setting),
    tokenController(setting),
    sessionController(setting),
    policyController(setting),
    alertController(setting),
    aboutController(setting),
  ];
}
