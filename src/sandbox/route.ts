import type { SandboxAnswer } from "./exchange.ts";

/** `ids` are the path segments that stood where the route has `*`. */
export type Operation<C> = (call: C, ...ids: string[]) => SandboxAnswer;

/** By route as policies write it, `POST /v1/payment_intents/*` + `/confirm`; `*` is one segment. */
export type Routes<C> = Readonly<Record<string, Operation<C>>>;

/** The operation for `method` and `path` with its ids already bound, or undefined. */
export function findOperation<C>(
  routes: Routes<C>,
  method: string,
  path: string,
): ((call: C) => SandboxAnswer) | undefined {
  const asked = path.split("/");
  for (const [route, operation] of Object.entries(routes)) {
    const [routeMethod, template = ""] = route.split(" ");
    if (routeMethod !== method) continue;
    const ids = idsIn(template.split("/"), asked);
    if (ids !== undefined) return (call) => operation(call, ...ids);
  }
  return undefined;
}

function idsIn(template: readonly string[], asked: readonly string[]): string[] | undefined {
  if (template.length !== asked.length) return undefined;
  const ids: string[] = [];
  for (const [index, expected] of template.entries()) {
    const segment = asked[index]!;
    if (expected === "*" && segment !== "") ids.push(segment);
    else if (expected !== segment) return undefined;
  }
  return ids;
}
